import type { RequestHandler } from 'express';
import { RequestError } from '../../errors.js';
import type { Quota } from '../../getbill/quota.js';
import type { SharedLimits } from '../../limits/shared-limits.js';

/**
 * For the demo alone: the sandbox says that its limits have changed, so that the app does not keep
 * to what no longer holds. Never for a browser.
 */
export function forgetLimits({
  quota,
  limits,
}: {
  quota: Pick<Quota, 'forget'>;
  limits: Pick<SharedLimits, 'forgetShares'>;
}): RequestHandler {
  return async function forgetLimitsHandler(req, res) {
    if (req.get('origin') !== undefined || req.get('sec-fetch-site') !== undefined) {
      throw new RequestError('the request comes from a browser', {
        code: 'foreign_origin',
        status: 403,
      });
    }
    await Promise.all([quota.forget(), limits.forgetShares()]);
    res.status(204).end();
  };
}
