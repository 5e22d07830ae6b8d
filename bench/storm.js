import { request } from 'undici';
import { startConnect } from './peers.js';
import { load } from './processes.js';
import { signInMany } from './sign-in.js';

const SESSIONS = 1_000;
const LIFETIME_S = 40; // so the margin is ten seconds: all are renewed in the same ten

const refreshes = async ({ origin }) =>
  (await (await request(`${origin}/bench/refreshes`)).body.json()).refreshes;
const setLifetime = ({ origin }, seconds) =>
  request(`${origin}/bench/lifetime?s=${seconds}`, { method: 'POST' });

/** A thousand sessions whose access tokens expire in the same ten seconds, under load; then the same load without. */
export async function measureStorm(context) {
  const app = await startConnect(context);
  await setLifetime(context.stub, LIFETIME_S);
  const startedMs = performance.now();
  const cookies = await signInMany(app.origin, SESSIONS);
  await setLifetime(context.stub, 3600);
  const untilMarginMs = LIFETIME_S * 750 - (performance.now() - startedMs);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, untilMarginMs)));
  const before = await refreshes(context.stub);
  const during = await load({ servers: [app], path: '/api/company/profile', cookies, seconds: 10 });
  const renewals = (await refreshes(context.stub)) - before;
  const without = await load({
    servers: [app],
    path: '/api/company/profile',
    cookies,
    seconds: 10,
  });
  await app.stop();
  return { sessions: SESSIONS, renewals, during, without, p99Ratio: during.p99Ms / without.p99Ms };
}
