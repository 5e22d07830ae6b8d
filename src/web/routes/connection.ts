import type { Router } from 'express';
import type { Quota } from '../../getbill/quota.js';
import { connectionOf } from '../pages/token-timeline.js';
import { createRouter } from '../create-router.js';
import { renderPage } from '../render-page.js';

/** What was granted, when it is renewed, and what is left of GetBill's quota. */
export function connectionRoute({ quota, marginMs }: { quota: Pick<Quota, 'seen'>; marginMs: number }): Router {
  const router = createRouter();
  router.get('/connection', async (_req, res) => {
    renderPage(res, 'connection', {
      title: 'Connection',
      connection: connectionOf(res.locals.tokenSet, { marginMs }),
      quota: [
        { label: 'Reads', ...(await quota.seen('read')) },
        { label: 'Writes', ...(await quota.seen('write')) },
      ].filter((entry) => 'left' in entry),
    });
  });
  return router;
}
