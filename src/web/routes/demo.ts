import type { RequestHandler } from 'express';
import { RequestError } from '../../errors.js';
import type { Quota } from '../../getbill/quota.js';

/**
 * For the demo alone: the sandbox says that its limits have changed, so that the app does not keep to what no longer
 * holds. Never for a browser.
 */
export function forgetLimits({ quota }: { quota: Pick<Quota, 'forget'> }): RequestHandler {
  return async function forgetLimitsHandler(req, res) {
    if (req.get('origin') !== undefined || req.get('sec-fetch-site') !== undefined) {
      throw new RequestError('the request comes from a browser', {
        code: 'foreign_origin',
        status: 403,
      });
    }
    await quota.forget();
    res.status(204).end();
  };
}
