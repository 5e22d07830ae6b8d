import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Router } from 'express';
import type { RequestContext } from '../events.js';
import { createRouter } from '../web/create-router.js';
import { actorName, layOut } from './diagram.js';
import { renderPage } from '../web/render-page.js';

type Step = Parameters<typeof layOut>[0][number] & object;

/** What this browser's sign-in and renewals looked like on the wire. Mounted only while the inspector is on. */
export function flowRoutes({
  context,
  stepsOf,
}: {
  context: AsyncLocalStorage<RequestContext>;
  stepsOf: (flow: string, options?: { after?: number }) => readonly Step[];
}): Router {
  const router = createRouter();
  const mine = (after: number): readonly Step[] => {
    const flow = context.getStore()?.flow;
    return flow === undefined ? [] : stepsOf(flow, { after });
  };

  router.get('/flow', (_req, res) => {
    const steps = mine(0);
    renderPage(res, 'flow', { title: 'Flow', steps, diagram: layOut(steps), actorName });
  });
  router.get('/flow/steps', (req, res) => {
    const after = Number(req.query['after']);
    res.json({ steps: mine(Number.isSafeInteger(after) && after > 0 ? after : 0) });
  });
  return router;
}
