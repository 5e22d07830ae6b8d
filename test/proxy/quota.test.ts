import { createProfileCache } from '../../src/getbill/profile-cache.js';
import type { TestApp } from '../support/test-app.js';
import { signIn, startProxyApp, type Answer, type Caller } from './support/caller.js';

let app: TestApp;
const counters = () => app.sandbox.control.state().counters;
const apiCalls = (): number => counters().apiCalls;
const asPage = { accept: 'text/html' };
const OTHER_COMPANY = 'Recouvrement Lumière SARL';

/** A window of the API's limit lasts this long; afterwards every test starts with a fresh one. */
const WINDOW_S = 60;

beforeAll(async () => {
  app = await startProxyApp({ env: { SESSION_IDLE_S: '86400', SESSION_MAX_S: '604800', RATE_LIMIT_API: '40' }, faults: { limitWindowS: WINDOW_S } }); // prettier-ignore
});
afterAll(() => app.close());
beforeEach(() => {
  app.clock.skipMs(3 * WINDOW_S * 1000);
  app.sandbox.control.reset();
});

function refused({ status, json, headers }: Answer): {
  status: number;
  error: unknown;
  retryAfterS: number;
} {
  return { status, error: json['error'], retryAfterS: Number(headers['retry-after']) };
}

async function repeat(times: number, work: () => Promise<Answer>): Promise<Record<number, number>> {
  const byStatus: Record<number, number> = {};
  for (let round = 0; round < times; round++) {
    const { status } = await work();
    byStatus[status] = (byStatus[status] ?? 0) + 1;
  }
  return byStatus;
}

it('a 429 that does not say what is left shows as nothing left', async () => {
  const caller = await signIn(app);
  const page = async (): Promise<string> =>
    (await caller.read('/connection', asPage)).bytes.toString();
  await caller.read('/api/debts');
  expect(await page()).not.toContain('<strong>0</strong> of 1,000');
  app.sandbox.control.set({ api: [{ mode: 'status', status: 429 }] });
  await caller.read('/api/debts');
  expect(await page()).toContain('<strong>0</strong> of 1,000');
});

it("a 429 that is a gateway's page is a 429: nobody calls for as long as it says", async () => {
  const [caller, other] = [await signIn(app), await signIn(app)];
  const page = '<h1>Too many requests</h1>';
  const fault = { mode: 'rawBody', status: 429, contentType: 'text/html', body: page } as const;
  app.sandbox.control.set({ api: [{ ...fault, headers: { 'retry-after': '30' } }] });
  const { status, headers, bytes } = await caller.read('/api/debts');
  expect([status, headers['retry-after'], headers['content-type'], bytes.length]).toEqual([429, '30', undefined, 0]); // prettier-ignore
  const before = apiCalls();
  expect(refused(await other.read('/api/debts'))).toMatchObject({ status: 429, error: 'getbill_quota_used' }); // prettier-ignore
  expect(apiCalls()).toBe(before);
});

describe('while GetBill says 429', () => {
  let caller: Caller;
  let other: Caller;
  beforeEach(async () => {
    [caller, other] = [await signIn(app), await signIn(app)];
    app.sandbox.control.set({ api: [{ mode: 'rateLimited', retryAfterS: 30 }] });
    expect(refused(await caller.read('/api/debts'))).toMatchObject({
      status: 429,
      retryAfterS: 30,
    });
  });

  it('[J03] nobody calls it again before the time it gave, and everybody is told how long that is', async () => {
    const before = apiCalls();
    app.clock.skipMs(10_000);
    for (const answer of [
      await caller.read('/api/debts'),
      await other.read('/api/company/profile'),
    ]) {
      const { status, error, retryAfterS } = refused(answer);
      expect([status, error]).toEqual([429, 'getbill_quota_used']);
      expect(retryAfterS).toBeGreaterThan(15);
      expect(retryAfterS).toBeLessThanOrEqual(20);
    }
    expect(apiCalls()).toBe(before);
  });

  it('[J03] pages wait as well, and say so', async () => {
    const before = apiCalls();
    const answer = await other.read('/dashboard', asPage);
    expect([answer.status, apiCalls()]).toEqual([429, before]);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(25);
  });

  it('[J03] the other kind of call goes on: reads and writes are counted apart', async () => {
    expect((await caller.write('DELETE', '/api/debts/d1')).status).toBe(404);
    app.sandbox.control.set({ api: [{ mode: 'rateLimited', retryAfterS: 30, method: 'POST' }] });
    expect((await caller.write('POST', '/api/debts', '{}')).status).toBe(429);
    const before = apiCalls();
    expect(refused(await other.write('DELETE', '/api/debts/d1')).error).toBe('getbill_quota_used');
    expect(apiCalls()).toBe(before);
  });

  it('[J03] and no longer: afterwards calls are made again', async () => {
    app.clock.skipMs(31_001); // the reset is given in whole seconds
    expect((await other.read('/api/debts')).status).toBe(200);
    expect((await caller.read('/api/debts')).status).toBe(200);
  });
});

describe('a share of the limit', () => {
  let caller: Caller;
  let other: Caller;
  beforeEach(async () => {
    caller = await signIn(app);
    app.sandbox.control.set({ limitReads: 40, consent: 'ask' });
    other = await signIn(app, { company: OTHER_COMPANY });
    await other.read('/api/debts'); // from here on the limit is known
  });

  it('[J03] is a quarter for each company: one that takes all it can leaves the others theirs', async () => {
    const before = apiCalls();
    await caller.read('/api/company/profile'); // names the company
    const answers = await Promise.all(Array.from({ length: 34 }, () => caller.read('/api/debts')));
    const refusals = answers.filter(({ status }) => status === 429).map(refused);
    expect([apiCalls() - before, refusals.length]).toEqual([10, 25]);
    for (const { error, retryAfterS } of refusals) {
      expect([error, retryAfterS > 0 && retryAfterS <= WINDOW_S]).toEqual([
        'getbill_share_used',
        true,
      ]);
    }
    expect(await repeat(9, () => other.read('/api/debts'))).toEqual({ 200: 9 });
  });

  it('[J03] is counted for reads and writes apart', async () => {
    expect(await repeat(12, () => caller.read('/api/debts'))).toEqual({ 200: 10, 429: 2 });
    expect((await caller.write('DELETE', '/api/debts/d1')).status).toBe(404);
  });

  it('is spent by pages as by /api: a reloaded page ends with words that say when', async () => {
    await caller.read('/api/company/profile'); // names the company
    const before = apiCalls();
    expect(await repeat(15, () => caller.read('/debts', asPage))).toEqual({ 200: 9, 429: 6 });
    expect(apiCalls() - before).toBe(9);
    const page = await caller.read('/debts', asPage);
    expect(Number(page.headers['retry-after'])).toBeLessThanOrEqual(WINDOW_S);
    expect(page.bytes.toString()).toMatch(
      /company has used its share[\s\S]*Trying again <time[^>]*>in \d+ s</,
    );
    expect(refused(await caller.read('/api/debts')).error).toBe('getbill_share_used');
    expect(await repeat(9, () => other.read('/debts', asPage))).toEqual({ 200: 9 });
  });

  it('is not renewed by another sign-in, from whatever address it calls', async () => {
    const debt = JSON.stringify({ error: false, data: { id: 'd1' } }); // an id, but not of a company
    app.sandbox.control.set({ api: [{ mode: 'rawBody', status: 200, body: debt, contentType: 'application/json' }] }); // prettier-ignore
    await caller.read('/api/debts/d1');
    const hidden = await signIn(app, { scopes: ['debts:read'] });
    await repeat(10, () => hidden.read('/api/debts')); // what those of unknown companies share
    const before = apiCalls();
    const sessions = [caller];
    while (sessions.length < 8) sessions.push(await signIn(app));
    const answers = await Promise.all(
      sessions.flatMap((one) => Array.from({ length: 10 }, () => one.read('/api/debts'))),
    );
    const served = answers.filter(({ status }) => status === 200).length;
    expect(served).toBeGreaterThanOrEqual(9);
    expect(served).toBeLessThanOrEqual(12); // some may be under way when the company becomes known
    expect(apiCalls() - before).toBeLessThanOrEqual(served + sessions.length); // each is asked once for its company
    expect(await repeat(9, () => other.read('/api/debts'))).toEqual({ 200: 9 });
  });

  it('is charged what a session has called before its company was known', async () => {
    const second = await signIn(app);
    await repeat(6, () => caller.read('/api/debts'));
    expect(await repeat(5, () => second.read('/api/debts'))).toEqual({ 200: 5 }); // those of unknown companies have used theirs
    expect(await repeat(3, () => caller.read('/api/debts'))).toEqual({ 429: 3 });
  });

  it('of one session alone is refused without asking GetBill for its company', async () => {
    app.clock.skipMs(2 * WINDOW_S * 1000); // the call of the other belongs to an earlier window
    expect(await repeat(10, () => caller.read('/api/debts'))).toEqual({ 200: 10 });
    const before = apiCalls();
    expect(await repeat(3, () => caller.read('/api/debts'))).toEqual({ 429: 3 });
    expect(apiCalls()).toBe(before);
  });

  it('is counted by address for those who do not show their company, and GetBill is not asked in vain', async () => {
    const scopes = ['debts:read'];
    const hidden = [await signIn(app, { scopes }), await signIn(app, { scopes })];
    await repeat(10, () => caller.read('/api/debts')); // what those of unknown companies share
    const before = apiCalls();
    for (const one of [...hidden, ...hidden]) await repeat(10, () => one.read('/api/debts'));
    expect(apiCalls() - before).toBeLessThanOrEqual(10 + hidden.length);
    expect(await repeat(9, () => other.read('/api/debts'))).toEqual({ 200: 9 });
    const unread = await signIn(app);
    app.sandbox.control.set({ api: [{ mode: 'status', status: 500 }] });
    const asked = profileCalls();
    expect(await repeat(2, () => unread.read('/api/debts'))).toEqual({ 429: 2 });
    expect(profileCalls() - asked).toBe(1); // and not again for a minute
  });

  it('[J03] begins anew with the next window, and holds in a burst at its start', async () => {
    expect(await repeat(12, () => caller.read('/api/debts'))).toEqual({ 200: 10, 429: 2 });
    app.clock.skipMs(2 * WINDOW_S * 1000);
    const before = apiCalls();
    await Promise.all(Array.from({ length: 35 }, () => caller.read('/api/debts')));
    expect(apiCalls() - before).toBe(10);
  });

  it('[J03] is a quarter of the limit seen last', async () => {
    expect(await repeat(12, () => caller.read('/api/debts'))).toEqual({ 200: 10, 429: 2 });
    app.sandbox.control.set({ limitReads: 400 });
    expect((await other.read('/api/debts')).status).toBe(200);
    expect((await caller.read('/api/debts')).status).toBe(200);
  });
});

describe('when little is left of the limit', () => {
  it('[J03] only our own pages go on', async () => {
    const [caller, other] = [await signIn(app), await signIn(app)];
    await repeat(20, () => caller.read('/api/debts'));
    app.sandbox.control.set({ limitReads: 22 }); // a lower limit: 5 % of it are 1.1
    expect((await other.read('/api/debts')).headers['x-ratelimit-remaining']).toBe('1');
    const before = apiCalls();
    for (const visitor of [caller, other]) {
      const { status, error, retryAfterS } = refused(await visitor.read('/api/debts'));
      expect([status, error, retryAfterS > 0 && retryAfterS <= WINDOW_S]).toEqual([
        429,
        'getbill_quota_used',
        true,
      ]);
    }
    expect(apiCalls()).toBe(before);
    const page = await other.read('/dashboard', asPage);
    expect([page.status, apiCalls()]).toEqual([200, before + 1]);
    expect(page.bytes.toString()).toContain('Example Collections LLC');
  });

  it('[J03] and everybody again after the reset', async () => {
    const [caller, other] = [await signIn(app), await signIn(app)];
    await repeat(20, () => caller.read('/api/debts'));
    app.sandbox.control.set({ limitReads: 21 });
    expect((await other.read('/api/debts')).headers['x-ratelimit-remaining']).toBe('0');
    expect(refused(await other.read('/api/debts')).error).toBe('getbill_quota_used');
    app.clock.skipMs((WINDOW_S + 1) * 1000);
    expect((await other.read('/api/debts')).status).toBe(200);
  });
});

describe('what our own limit does', () => {
  it('[J03] one session is held to RATE_LIMIT_API a minute, the others are served', async () => {
    const [caller, other] = [await signIn(app), await signIn(app)];
    await other.read('/api/debts'); // a quarter of GetBill's limit is far from used
    const before = apiCalls();
    const answers = await Promise.all(Array.from({ length: 90 }, () => caller.read('/api/debts')));
    const refusals = answers.filter(({ status }) => status === 429).map(refused);
    expect([refusals.length, apiCalls() - before]).toEqual([50, 40]);
    for (const { error, retryAfterS } of refusals) {
      expect([error, retryAfterS > 0 && retryAfterS <= 60]).toEqual(['rate_limited', true]);
    }
    expect((await other.read('/api/debts')).status).toBe(200);
    expect((await caller.read('/dashboard', asPage)).status).toBe(200);
    app.clock.skipMs(60_001);
    expect((await caller.read('/api/debts')).status).toBe(200);
  });
});

const profileCalls = (): number =>
  app.sandbox.control.state().counters.apiByPath['/company/profile'] ?? 0;

describe("the dashboard's profile", () => {
  it('[J03] is asked for once a minute and session', async () => {
    const [caller, other] = [await signIn(app), await signIn(app)];
    const before = profileCalls();
    expect(await repeat(3, () => caller.read('/dashboard', asPage))).toEqual({ 200: 3 });
    expect(profileCalls()).toBe(before + 1);
    await other.read('/dashboard', asPage);
    expect(profileCalls()).toBe(before + 2);
    app.clock.skipMs(40_000);
    await caller.read('/dashboard', asPage);
    expect(profileCalls()).toBe(before + 2);
    app.clock.skipMs(20_001);
    await caller.read('/dashboard', asPage);
    expect(profileCalls()).toBe(before + 3);
  });

  it('[J03] is no longer known after signing out', async () => {
    const caller = await signIn(app);
    await caller.read('/dashboard', asPage);
    await caller.browser.signOut();
    await caller.browser.signIn();
    const before = profileCalls();
    await caller.read('/dashboard', asPage);
    expect(profileCalls()).toBe(before + 1);

    const forgotten: string[] = [];
    const watched = await startProxyApp({
      sandbox: app.sandbox,
      wrap: (services) => ({ ...services, profiles: { ...services.profiles, forget: (id) => void forgotten.push(id) } }), // prettier-ignore
    });
    try {
      await (await signIn(watched)).browser.signOut();
      expect(forgotten).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
    } finally {
      await watched.close();
    }
  });

  it('is kept per grant and dropped when it is forgotten', async () => {
    const profile = { id: 'p', name: 'A' } as Awaited<
      ReturnType<ReturnType<typeof createProfileCache>['get']>
    >;
    let loaded = 0;
    const cache = createProfileCache({ now: () => 0, keptMs: 60_000 });
    const load = () => Promise.resolve((loaded++, profile));
    await cache.get('one', load);
    await cache.get('one', load);
    expect(loaded).toBe(1);
    await cache.get('two', load);
    expect(loaded).toBe(2);
    cache.forget('one');
    await cache.get('one', load);
    await cache.get('two', load);
    expect(loaded).toBe(3);
  });

  it('is not kept for longer by a session that never asks again', async () => {
    jest.useFakeTimers();
    try {
      const cache = createProfileCache({ now: Date.now, keptMs: 60_000 });
      const profile = { id: 'p', name: 'A' } as Awaited<ReturnType<typeof cache.get>>;
      await cache.get('one', () => Promise.resolve(profile));
      expect(jest.getTimerCount()).toBe(1);
      jest.advanceTimersByTime(60_001);
      expect(jest.getTimerCount()).toBe(0);
      let loaded = false;
      await cache.get('one', () => Promise.resolve(((loaded = true), profile)));
      expect(loaded).toBe(true);
    } finally {
      jest.useRealTimers();
    }
  });

  it('is not kept when it could not be loaded', async () => {
    const caller = await signIn(app);
    app.sandbox.control.set({
      api: [{ mode: 'status', status: 500, path: '/company/profile' }],
    });
    expect((await caller.read('/dashboard', asPage)).status).toBe(502);
    expect((await caller.read('/dashboard', asPage)).status).toBe(200);
  });
});
