import { hash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { RequestError } from '../../errors.js';
import type { Secret } from '../../secret.js';

/** Prometheus, for whoever holds the token. */
export function showMetrics({
  token,
  text,
}: {
  token: Secret;
  text: () => Promise<{ body: string; contentType: string }>;
}): RequestHandler {
  const expected = digest(token.reveal());
  return async function showMetricsHandler(req, res) {
    // in any case: RFC 9110, 11.1
    const [, given = ''] = /^Bearer +(.+)$/i.exec(req.get('authorization') ?? '') ?? [];
    if (!timingSafeEqual(digest(given), expected)) {
      throw new RequestError('wrong metrics token', { code: 'metrics_token', status: 401 });
    }
    const { body, contentType } = await text();
    res.type(contentType).send(body);
  };
}

const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
