import { setTimeout as delay } from 'node:timers/promises';
import { check } from './counts.js';
import { describeLeader } from './leader.js';
import type { Play } from './play.js';
import type { Tab } from './tab.js';

const API = '/api/company/profile';
const TABS = 10;
/** How long GetBill takes to renew while ten tabs wait. */
const RENEWAL_MS = 400;
const LIMIT_S = 3;
/** A process reads what the others know of the limit once a second. */
const ALL_KNOW_MS = 1_100;
const LOOK_EVERY_MS = 100;
const MAX_HOPS = 8;

export const firstSignIn: Play = { startsSignIn: true };

/** By the clock of the app, which tests move. */
async function wait(ms: number, now: () => number): Promise<void> {
  const endsAtMs = now() + ms;
  while (now() < endsAtMs) await delay(Math.min(LOOK_EVERY_MS, ms));
}

const countOk = (responses: readonly { status: number }[]): number =>
  responses.filter(({ status }) => status === 200).length;

export const expiredToken: Play = {
  async play({ sandbox, visitor, counted }) {
    await sandbox.expireAccessTokens();
    const responses = [await visitor.get(API)];
    const { apiRefused, renewals, apiCalls, signIns } = await counted();
    return [
      check('call refused by GetBill: the token is dead', apiRefused, 1),
      check('renewal', renewals, 1),
      check('call sent again, and served', apiCalls - apiRefused, 1),
      check('response to the browser, a 200', countOk(responses), 1),
      check('sign-ins', signIns, 0),
    ];
  },
};

export const tenTabs: Play = {
  settings: { token: [{ mode: 'delay', ms: RENEWAL_MS, grantType: 'refresh_token' }] },
  async play({ sandbox, visitor, counted }) {
    await sandbox.expireAccessTokens();
    const tabs = Array.from({ length: TABS }, () => visitor.get(API));
    const responses = await Promise.all(tabs);
    const { renewalCalls, spentTokens, apiCalls, apiRefused } = await counted();
    return [
      check('call to renew', renewalCalls, 1),
      check('refresh tokens sent twice', spentTokens, 0),
      check('API calls served', apiCalls - apiRefused, TABS),
      check('tabs got their 200', countOk(responses), TABS),
    ];
  },
  note: describeLeader,
};

/** Ends with a session that is over; the checks follow when the visitor has signed in again. */
export const lostResponse: Play = {
  settings: { token: [{ mode: 'commitThenDrop', grantType: 'refresh_token' }] },
  async play({ sandbox, visitor, counted, now }) {
    await sandbox.expireAccessTokens();
    const { retryAfterS } = await visitor.get(API);
    const paused = await visitor.get(API);
    const { renewalCalls } = await counted();
    await wait(retryAfterS * 1_000, now);
    const over = await visitor.get(API);
    return [
      check('call to renew, its response lost', renewalCalls, 1),
      check('response to the next call: renewals pause, GetBill is not asked', paused.status, 503),
      check('response after the pause: sign in', over.status, 401),
    ];
  },
};

export const revokedGrants: Play = {
  async play({ sandbox }) {
    await sandbox.revokeGrants();
    return [];
  },
};

export const usedLimit: Play = {
  settings: { api: [{ mode: 'rateLimited', retryAfterS: LIMIT_S }] },
  async play({ visitor, counted, now }) {
    const { retryAfterS } = await visitor.get(API);
    const startedMs = now();
    await wait(ALL_KNOW_MS, now);
    const tabs = Array.from({ length: TABS - 1 }, () => visitor.get(API));
    const responses = await Promise.all(tabs);
    const { apiCalls } = await counted();
    const endsAtMs = startedMs + (retryAfterS + 1) * 1_000; // GetBill names whole seconds
    await wait(endsAtMs - now(), now);
    const afterwards = await visitor.get(API);
    return [
      check('call that met the limit', apiCalls, 1),
      check(
        'later calls told when to come back',
        responses.filter((each) => each.status === 429 && each.retryAfterS > 0).length,
        TABS - 1,
      ),
      check('of them sent to GetBill', apiCalls - 1, 0),
      check('call when the wait was over, served', countOk([afterwards]), 1),
    ];
  },
};

export const replayedCallback: Play = {
  settings: { consent: 'auto' },
  async play({ signedOutTab: tab, stranger, flowCookie, publicUrl, counted }) {
    const callback = await signIn(tab, publicUrl);
    const first = await tab.get(callback);
    const again = await tab.get(callback);
    const elsewhere = await stranger.get(callback);
    const served = await tab.get(API);
    const { codeExchanges, renewalsRefused, apiRefused } = await counted();
    tab.forget(flowCookie); // the flow ends where its browser signs out, and the visitor does not
    await signOut(tab);
    return [
      check('code exchange', codeExchanges, 1),
      check('response to the callback: signed in', first.status, 303),
      check('response to the same again: on to the dashboard', again.status, 303),
      check('response to another browser: refused', elsewhere.status, 400),
      check('API call afterwards: the grant still lives', countOk([served]), 1),
      check('calls or renewals refused', renewalsRefused + apiRefused, 0),
    ];
  },
};

/** As far as GetBill's redirect to the callback, which is not followed. */
async function signIn(tab: Tab, publicUrl: URL): Promise<URL> {
  let next = new URL('/login', publicUrl);
  for (let hops = 0; hops < MAX_HOPS; hops += 1) {
    const { location, status } = await tab.get(next);
    if (location === undefined) throw new Error(`the sign-in stopped with ${status}`);
    next = new URL(location, next);
    if (next.origin === publicUrl.origin) return next;
  }
  throw new Error('the sign-in did not come back');
}

async function signOut(tab: Tab): Promise<void> {
  const { json } = await tab.get('/session');
  const { csrfToken } = (json ?? {}) as { csrfToken?: unknown };
  if (typeof csrfToken === 'string') await tab.post('/logout', { _csrf: csrfToken });
}
