import { hash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { RequestError } from '../../errors.js';
import type { Secret } from '../../secret.js';

/** The metrics for Prometheus, which sends the token. */
export function showMetrics({
  token,
  metrics,
  isStorageReady,
}: {
  token: Secret;
  metrics: { text(): Promise<{ body: string; contentType: string }> };
  isStorageReady: () => Promise<unknown>;
}): RequestHandler {
  const expected = digest(token.reveal());
  return async function showMetricsHandler(req, res) {
    // the scheme in upper or lower case: RFC 9110 section 11.1
    const [, given = ''] = /^Bearer +(.+)$/i.exec(req.get('authorization') ?? '') ?? [];
    if (!timingSafeEqual(digest(given), expected)) {
      throw new RequestError('wrong metrics token', { code: 'metrics_token', status: 401 });
    }
    await isStorageReady(); // measures a round trip to Redis: not every balancer asks `/readyz`
    const { body, contentType } = await metrics.text();
    res.type(contentType).send(body);
  };
}

const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
