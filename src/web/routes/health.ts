import type { RequestHandler } from 'express';

/** 200 while the process runs. */
export function reportHealth(): RequestHandler {
  return function reportHealthHandler(_req, res) {
    res.json({ status: 'ok' });
  };
}

/** 200 while the process can serve, else 503. */
export function reportReadiness({ isReady }: { isReady: () => Promise<boolean> }): RequestHandler {
  return async function reportReadinessHandler(_req, res) {
    const ready = await isReady();
    res.status(ready ? 200 : 503).json({ status: ready ? 'ok' : 'unavailable' });
  };
}
