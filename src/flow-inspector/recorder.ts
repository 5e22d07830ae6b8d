import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Emit, RequestContext } from '../events.js';
import { flowStepOf, type FlowStep } from './steps.js';

const MOST_STEPS = 200;
const MOST_FLOWS = 500;
const KEPT_MS = 3_600_000;

export interface RecordedStep extends FlowStep {
  /** From 1, per browser. */
  readonly number: number;
  readonly atMs: number;
  readonly requestId: string;
}

/** A learning tool: what the traffic of one browser (by its flow cookie) looked like, in this process's memory, for an hour. */
export interface FlowRecorder {
  readonly read: Emit;
  readonly stepsOf: (flow: string, options?: { after?: number }) => readonly RecordedStep[];
}

const NOT_SHOWN = /^\/(flow|assets|healthz|readyz|metrics)|^unmatched$/;

export function createFlowRecorder({
  context,
  now,
}: {
  context: AsyncLocalStorage<RequestContext>;
  now: () => number;
}): FlowRecorder {
  const flows = new Map<string, RecordedStep[]>();
  return {
    read(event) {
      const { flow, requestId } = context.getStore() ?? {};
      if (flow === undefined || requestId === undefined) return;
      if (event.type === 'request_answered' && NOT_SHOWN.test(event.route)) return;
      const step = flowStepOf(event);
      if (step === undefined) return;
      const steps = flows.get(flow) ?? [];
      flows.delete(flow);
      flows.set(
        flow,
        [...steps, { ...step, number: (steps.at(-1)?.number ?? 0) + 1, atMs: now(), requestId }].slice(-MOST_STEPS),
      );
      const [oldest] = flows.keys();
      if (flows.size > MOST_FLOWS && oldest !== undefined) flows.delete(oldest);
    },
    stepsOf: (flow, { after = 0 } = {}) =>
      (flows.get(flow) ?? []).filter(({ number, atMs }) => number > after && atMs > now() - KEPT_MS),
  };
}
