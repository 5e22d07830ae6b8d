import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import type { KeyValue } from '../core/storage/key-value.js';
import { RecordError } from '../errors.js';
import { stepSchema, type Draft, type Step } from './step.js';
import { upToYoungGap } from './young-gap.js';

/** The steps kept per browser. */
const MAX_STEPS = 400;
const KEPT_MS = 3_600_000;
const MAX_RECORD = 16_384;

/** How a story goes on: after a redirect, or on the way back from GetBill. */
export interface Continuation {
  readonly chain: string;
  /** The number of the request that the browser took to GetBill. */
  readonly replyTo?: number | undefined;
}

/**
 * The steps of each browser, in the storage port, so that several processes tell one story: a
 * counter that gives the order, and a record per step. One process sends its commands in order over
 * one connection, so what caused something has the smaller number. Nothing here ever throws: a
 * storage that is away costs steps, not requests.
 */
export interface StepStore {
  /** Takes its number at once; resolves to it when the step is stored. */
  append(
    flow: string,
    draft: Draft,
    replyTo?: Promise<number | undefined>,
  ): Promise<number | undefined>;
  /** In order, from the first after `after` that is still kept. */
  read(flow: string, options: { after: number }): Promise<Step[]>;
  last(flow: string): Promise<number>;
  /** `next` names the browser's next request, by which the story is found again. */
  keepContinuation(
    flow: string,
    next: string,
    continuation: Continuation,
    ttlMs: number,
  ): Promise<void>;
  takeContinuation(flow: string, next: string): Promise<Continuation | undefined>;
  /** Resolves when what this process has appended so far is stored. */
  settled(): Promise<void>;
}

/** The keys of the flow inspector; the recorder does not record them. */
export const KEY_PREFIX = 'flow:';

export function createStepStore({
  keyValue,
  now,
  process: processName = `${hostname().slice(0, 20)}:${process.pid}`,
}: {
  keyValue: KeyValue;
  now: () => number;
  process?: string;
}): StepStore {
  const counterOf = (flow: string): string => `${KEY_PREFIX}${flow}:last`;
  const keyOf = (flow: string, number: number): string => `${KEY_PREFIX}${flow}:${number}`;
  const continuationKey = (flow: string, next: string): string =>
    `${KEY_PREFIX}${flow}:at:${hash('sha256', next, 'base64url').slice(0, 22)}`;
  const running = new Set<Promise<unknown>>();

  function track<Result>(work: Promise<Result>): Promise<Result | undefined> {
    const settled = work.catch(() => undefined).finally(() => running.delete(settled));
    running.add(settled);
    return settled;
  }

  async function readOne(flow: string, number: number): Promise<Step | undefined> {
    const text = await keyValue.get(keyOf(flow, number)).catch(() => undefined);
    if (text === undefined || text.length > MAX_RECORD) return undefined;
    try {
      const { success, data } = stepSchema.safeParse(JSON.parse(text));
      return success && data.number === number ? data : undefined;
    } catch {
      return undefined;
    }
  }

  async function last(flow: string): Promise<number> {
    const count = Number((await keyValue.get(counterOf(flow)).catch(() => undefined)) ?? 0);
    return Number.isSafeInteger(count) ? count : 0;
  }

  async function write(
    flow: string,
    draft: Draft & { atMs: number },
    counted: Promise<{ count: number }>,
    replyTo: Promise<number | undefined> | undefined,
  ): Promise<number | undefined> {
    const { count: number } = await counted;
    const request = await replyTo;
    if (draft.kind === 'response' && request === undefined) return undefined;
    const step: Step = {
      number,
      ...draft,
      process: processName,
      ...(request !== undefined && { replyTo: request }),
    };
    const text = JSON.stringify(step);
    const kept = text.length > MAX_RECORD ? JSON.stringify({ ...step, message: undefined }) : text;
    await keyValue.set(keyOf(flow, number), kept, { ttlMs: KEPT_MS });
    if (number > MAX_STEPS) await keyValue.delete(keyOf(flow, number - MAX_STEPS));
    return number;
  }

  /** A counter that is not ours counts as absent. */
  async function countUp(flow: string): Promise<{ count: number }> {
    const key = counterOf(flow);
    const count = () => keyValue.increment(key, { ttlMs: 2 * KEPT_MS });
    return await count().catch(async (error: unknown) => {
      if (!(error instanceof RecordError)) throw error;
      await keyValue.delete(key);
      return await count();
    });
  }

  return {
    append(flow, draft, replyTo) {
      const counted = countUp(flow);
      return track(write(flow, { atMs: now(), ...draft }, counted, replyTo));
    },
    last,
    async read(flow, { after }) {
      const end = await last(flow);
      const first = Math.max(after, end - MAX_STEPS) + 1;
      const numbers = Array.from({ length: Math.max(0, end - first + 1) }, (_, at) => first + at);
      const found = await Promise.all(numbers.map((number) => readOne(flow, number)));
      return upToYoungGap(found, { nowMs: now(), isFirstRead: after === 0 });
    },
    keepContinuation: async (flow, next, continuation, ttlMs) =>
      void (await track(
        keyValue.set(continuationKey(flow, next), JSON.stringify(continuation), { ttlMs }),
      )),
    async takeContinuation(flow, next) {
      try {
        const text = await keyValue.take(continuationKey(flow, next));
        return text === undefined ? undefined : (JSON.parse(text) as Continuation);
      } catch {
        return undefined;
      }
    },
    settled: async () => void (await Promise.all(running)),
  };
}
