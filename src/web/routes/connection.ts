import type { RequestHandler } from 'express';
import type { LimitClass } from '../../getbill/endpoints.js';
import type { Quota } from '../../getbill/quota.js';
import { permissionsOf } from '../pages/permissions.js';
import { quotaView } from '../pages/quota.js';
import { tokenTimeline } from '../pages/token-timeline.js';
import { renewalPause, type RenewalPauseDeps } from '../renewal-pause.js';
import { renderPage } from '../render-page.js';

const LIMIT_CLASSES: readonly (readonly [LimitClass, label: string])[] = [
  ['read', 'Reads'],
  ['write', 'Writes'],
];

/** The permissions, the next renewal, and the rest of GetBill's quota. */
export function showConnection({
  quota,
  asked,
  ...deps
}: RenewalPauseDeps & {
  marginMs: number;
  quota: Pick<Quota, 'lastKnown'>;
  /** GETBILL_SCOPES */
  asked: readonly string[];
}): RequestHandler {
  const { marginMs, now } = deps;
  return async function showConnectionHandler(_req, res) {
    const { formats } = res.locals;
    const views = LIMIT_CLASSES.map(async ([limitClass, label]) =>
      quotaView(label, await quota.lastKnown(limitClass), formats),
    );
    const pause = await renewalPause(res, deps);
    renderPage(res, 'connection', {
      title: 'Connection',
      timeline: tokenTimeline(res.locals.tokenSet, { marginMs, nowMs: now(), formats, pause }),
      permissions: permissionsOf(res.locals.tokenSet, asked),
      quota: (await Promise.all(views)).filter((entry) => entry !== undefined),
    });
  };
}
