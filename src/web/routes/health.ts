import type { Router } from 'express';
import { createRouter } from '../create-router.js';

/** For machines: `/healthz` while the process runs, `/readyz` while it can serve. */
export function healthRoutes({ isReady }: { isReady: () => Promise<boolean> }): Router {
  const router = createRouter();
  router.get('/healthz', (_req, res) => {
    res.json({ status: 'ok' });
  });
  router.get('/readyz', async (_req, res) => {
    const ready = await isReady();
    res.status(ready ? 200 : 503).json({ status: ready ? 'ok' : 'unavailable' });
  });
  return router;
}
