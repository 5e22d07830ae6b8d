import { setTimeout as delay } from 'node:timers/promises';
import { makeCompanies } from '../../../sandbox/api/data/companies.js';
import type { AppProcess } from './app-process.js';
import type { Installation } from './installation.js';
import type { TimedAnswer, Visitor } from './visitor.js';

export interface Storm {
  /** The API rejects the access token from `now` on, although it looks good; or the clock ends it then. */
  diesBy: 'now' | number;
  oldAccessTokenDies: boolean;
}

export interface StormNumbers {
  calls: number;
  answered: Record<number, number>;
  refreshes: number;
  reuse: number;
  slowestMs: number;
}

const [someDebt] = makeCompanies()[0].debts.keys();

/** Calls as one page makes them all at once: profiles, and every fifth one a POST. */
export async function createCaller(site: Installation, visitor: Visitor) {
  const [first] = site.all as [AppProcess];
  const csrfToken = await visitor.csrfToken(first);
  const body = JSON.stringify({ debt_id: someDebt, type: 'call', notes: 'made by the storm test' });
  const headers = { 'content-type': 'application/json', 'x-csrf-token': csrfToken };

  return async function callNo(index: number): Promise<TimedAnswer> {
    const app = site.all[index % site.all.length] ?? first;
    if (index % 5 !== 4) return await visitor.profile(app);
    return await visitor.call(app, '/api/followups', { method: 'POST', headers, body });
  };
}

/** Ends the access token and lets `calls` requests loose on all processes, each at its own moment within `spreadMs`. */
export async function storm(
  site: Installation,
  callNo: (index: number) => Promise<TimedAnswer>,
  { diesBy, oldAccessTokenDies }: Storm,
  { calls, spreadMs, random }: { calls: number; spreadMs: number; random: () => number },
): Promise<StormNumbers> {
  const { control } = site.sandbox;
  control.set({ oldAccessTokenDies });
  if (diesBy === 'now') control.expireAccessTokens();
  else await delay(diesBy - spreadMs / 3 - Date.now());

  const before = control.state().counters;
  const answers = await Promise.all(
    Array.from({ length: calls }, async (_, index) => {
      await delay(random() * spreadMs);
      return await callNo(index);
    }),
  );
  const after = control.state().counters;
  const answered: Record<number, number> = {};
  for (const { status } of answers) answered[status] = (answered[status] ?? 0) + 1;
  return {
    calls,
    answered,
    refreshes: after.tokenByGrant.refresh_token - before.tokenByGrant.refresh_token,
    reuse: after.refreshReuse - before.refreshReuse,
    slowestMs: Math.round(Math.max(...answers.map(({ ms }) => ms))),
  };
}

export function sum(storms: readonly StormNumbers[]): StormNumbers & { storms: number } {
  const answered: Record<number, number> = {};
  for (const [status, count] of storms.flatMap((one) => Object.entries(one.answered))) {
    answered[Number(status)] = (answered[Number(status)] ?? 0) + count;
  }
  const total = (field: 'calls' | 'refreshes' | 'reuse'): number =>
    storms.reduce((all, one) => all + one[field], 0);
  return {
    storms: storms.length,
    calls: total('calls'),
    answered,
    refreshes: total('refreshes'),
    reuse: total('reuse'),
    slowestMs: Math.max(...storms.map(({ slowestMs }) => slowestMs)),
  };
}
