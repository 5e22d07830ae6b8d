import type { RequestHandler } from 'express';
import { createGetbillClient } from '../../getbill/client.js';
import type { Forward } from '../../getbill/forward.js';
import type { ProfileCache } from '../../getbill/profile-cache.js';
import { accessOf, type AccessDeps } from '../access.js';
import { leftSignal } from '../left-signal.js';
import { companyView } from '../pages/company.js';
import { loadPart, setStatusOf } from '../pages/part.js';
import { tokenTimeline } from '../pages/token-timeline.js';
import { renderPage } from '../render-page.js';

export function showDashboard({
  forward,
  profiles,
  access,
  marginMs,
  now,
}: {
  forward: Forward;
  profiles: Pick<ProfileCache, 'get'>;
  access: AccessDeps;
  marginMs: number;
  now: () => number;
}): RequestHandler {
  return async function showDashboardHandler(req, res) {
    const mine = accessOf(req, res, access);
    const { withhold } = mine.visitor;
    const { requestId } = res.locals;
    const client = createGetbillClient({ forward, accessFor: () => mine, requestId, signal: leftSignal(res) });
    const read = () => profiles.get(mine.grantId, () => client.companyProfile());
    const company = await loadPart('company:read', read, { res, withhold, show: companyView });
    setStatusOf(res, company);
    const timeline = tokenTimeline(res.locals.tokenSet, { marginMs, nowMs: now() }); // after the calls: they may renew
    renderPage(res, 'dashboard', { title: 'Dashboard', company, timeline });
  };
}
