import type { RequestHandler } from 'express';
import type { DebtFigures } from '../../getbill/debt-figures.js';
import type { ProfileCache } from '../../getbill/profile-cache.js';
import { apiFor, type PageDeps } from '../api-for.js';
import { companyView } from '../pages/company.js';
import { connectionLine } from '../pages/connection.js';
import { creditsView, lastFollowupViews, overviewView } from '../pages/dashboard.js';
import { barView } from '../pages/status-bar.js';
import { dataOf, mapPart, setStatusOf } from '../pages/part.js';
import { readerOf } from '../pages/reader.js';
import { statuses } from '../pages/statuses.js';
import { renewalPause, type RenewalPauseDeps } from '../renewal-pause.js';
import { renderPage } from '../render-page.js';

const STATUSES = statuses.map(({ value }) => value);

/** The company, its debts in figures and the newest ones. Each part loads, and may fail, alone. */
export function showDashboard({
  profiles,
  figures,
  marginMs,
  ...deps
}: PageDeps &
  RenewalPauseDeps & {
    profiles: Pick<ProfileCache, 'get'>;
    figures: DebtFigures;
    marginMs: number;
  }): RequestHandler {
  const { now } = deps;
  return async function showDashboardHandler(req, res) {
    const { client, lastingClient, part } = apiFor(req, res, deps);
    const { grantId } = res.locals;

    const [profile, overview, credits] = await Promise.all([
      part('company:read', () => profiles.get(grantId, () => client.companyProfile())),
      part('debts:read', () => figures.overview(grantId, lastingClient)),
      part('company:read', () => figures.credits(grantId, lastingClient)),
    ]);
    const loaded = dataOf(overview)?.value;
    const [counts, followups] = await Promise.all([
      loaded &&
        part('debts:read', () =>
          figures.statusCounts(grantId, lastingClient, { overview: loaded, statuses: STATUSES }),
        ),
      loaded &&
        part('followups:read', () => figures.lastFollowups(grantId, lastingClient, loaded.newest)),
    ]);

    // After the calls, which may have renewed the token.
    const pause = await renewalPause(res, deps);
    const reader = readerOf(res, now);
    const company = mapPart(profile, (data) => companyView(data, reader));
    const counted = counts && dataOf(counts)?.value;
    const allCounts = counted?.uncounted.length === 0 ? counted.counts : undefined;
    setStatusOf(res, company);
    renderPage(res, 'dashboard', {
      title: 'Dashboard',
      company,
      credits: mapPart(credits, (data) => creditsView(data, reader)),
      overview: mapPart(overview, (data) => overviewView(data, allCounts, reader)),
      bar: counts && loaded && mapPart(counts, (data) => barView(data, loaded, reader)),
      followups:
        followups &&
        loaded &&
        mapPart(followups, (data) => lastFollowupViews(data, loaded, reader)),
      connection: connectionLine(res.locals.tokenSet, { marginMs, pause, ...reader }),
    });
  };
}
