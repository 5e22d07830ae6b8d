import { createHash, timingSafeEqual } from 'node:crypto';
import type { Router } from 'express';
import { RequestError } from '../../errors.js';
import type { Secret } from '../../secret.js';
import { createRouter } from '../create-router.js';

/** Prometheus, for whoever holds the token; a path that does not exist while no token is set. */
export function metricsRoute({
  token,
  text,
}: {
  token: Secret | undefined;
  text: () => Promise<{ body: string; contentType: string }>;
}): Router {
  const router = createRouter();
  if (token === undefined) return router;
  const expected = digest(`Bearer ${token.reveal()}`);
  router.get('/metrics', async (req, res) => {
    if (!timingSafeEqual(digest(req.get('authorization') ?? ''), expected)) {
      throw new RequestError('wrong metrics token', { code: 'metrics_token', status: 401 });
    }
    const { body, contentType } = await text();
    res.type(contentType).send(body);
  });
  return router;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
