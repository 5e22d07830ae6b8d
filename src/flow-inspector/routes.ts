import type { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestHandler } from 'express';
import type { RequestContext } from '../events.js';
import { actorName, layOut } from './diagram.js';
import { renderPage } from '../web/render-page.js';

type Step = Parameters<typeof layOut>[0][number] & object;

export interface FlowDeps {
  readonly context: AsyncLocalStorage<RequestContext>;
  readonly stepsOf: (flow: string, options?: { after?: number }) => readonly Step[];
}

/** What this browser's sign-in and renewals looked like on the wire. Mounted only while the inspector is on. */
export function showFlow(deps: FlowDeps): RequestHandler {
  return function showFlowHandler(_req, res) {
    const steps = stepsOfThisBrowser(deps, 0);
    renderPage(res, 'flow', { title: 'Flow', steps, diagram: layOut(steps), actorName });
  };
}

/** The same as JSON, after the step with the number `after`. */
export function listFlowSteps(deps: FlowDeps): RequestHandler {
  return function listFlowStepsHandler(req, res) {
    const after = Number(req.query['after']);
    const steps = stepsOfThisBrowser(deps, Number.isSafeInteger(after) && after > 0 ? after : 0);
    res.json({ steps });
  };
}

function stepsOfThisBrowser({ context, stepsOf }: FlowDeps, after: number): readonly Step[] {
  const flow = context.getStore()?.flow;
  return flow === undefined ? [] : stepsOf(flow, { after });
}
