import { passTime } from '../support/redis-storage.js';
import { tokenRequests } from '../support/sign-in.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import type { Answer } from '../support/browser.js';
import { startProduction, type Production } from './support/production.js';

jest.setTimeout(90_000);

const MINUTE_MS = 60_000;
const LIMIT = 10;
const limits = {
  RATE_LIMIT_LOGIN: String(LIMIT),
  RATE_LIMIT_CALLBACK: String(LIMIT),
  RATE_LIMIT_API: String(LIMIT),
};

let site: Production;
let other: TestApp;
beforeAll(async () => {
  site = await startProduction({ env: limits });
  other = await startTestApp({
    https: true,
    env: { REDIS_URL: site.redis.url, ...limits, RATE_LIMIT_PAGES: String(LIMIT) },
    sandbox: site.app.sandbox,
  });
});
afterAll(async () => {
  await other.close();
  await site.close();
});
beforeEach(() => site.redis.client.flushall());

const from = (ip: string): Record<string, string> => ({ 'x-forwarded-for': ip });
const login = (app: TestApp, ip: string): Promise<Answer> => app.browser().get('/login', from(ip));

async function statuses(
  count: number,
  send: (index: number) => Promise<Answer>,
): Promise<Record<number, number>> {
  const answers = await Promise.all(Array.from({ length: count }, (_, index) => send(index)));
  const counted: Record<number, number> = {};
  for (const { status } of answers) counted[status] = (counted[status] ?? 0) + 1;
  return counted;
}

describe('a limit', () => {
  it.each([
    ['/login', 302],
    ['/oauth/callback', 400],
  ])(
    '[J01] holds for %s: 200 at once from one address, and the others are not kept out',
    async (path, status) => {
      const { app } = site;
      const hit = (ip: string): Promise<Answer> => app.browser().get(path, from(ip));
      expect(await statuses(200, () => hit('192.0.2.1'))).toEqual({ [status]: LIMIT, 429: 190 });
      expect((await hit('192.0.2.2')).status).toBe(status);

      const refused = await hit('192.0.2.1');
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
      expect(refused.text).toContain('That was a lot of requests');
      expect(
        app.events.filter(({ type }) => type === 'rate_limited').length,
      ).toBeGreaterThanOrEqual(191);
      app.events.length = 0;

      await passTime(site.redis, MINUTE_MS);
      expect((await hit('192.0.2.1')).status).toBe(status);
    },
  );

  it('[J01] holds for the API per session, wherever its calls come from, and calls over it do not reach GetBill', async () => {
    const [first, second] = [site.app.browser(), site.app.browser()];
    await first.signIn();
    await second.signIn();
    const before = site.app.sandbox.control.state().counters.apiCalls;
    const hit = (index: number): Promise<Answer> =>
      first.get('/api/company/profile', from(`192.0.2.${index}`));
    expect(await statuses(50, hit)).toEqual({ 200: LIMIT, 429: 40 });
    expect(site.app.sandbox.control.state().counters.apiCalls).toBe(before + LIMIT);
    const refused = await hit(1);
    expect(refused.json['error']).toBe('rate_limited');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await second.get('/api/company/profile')).status).toBe(200);
    await passTime(site.redis, MINUTE_MS);
    expect((await hit(1)).status).toBe(200);
  });

  it('[J01] holds for /session, apart from the pages of that session', async () => {
    const [first, second] = [other.browser(), other.browser()];
    await first.signIn();
    await second.signIn();
    expect(await statuses(30, () => first.get('/session'))).toEqual({ 200: LIMIT, 429: 20 });
    expect((await first.get('/session')).json['error']).toBe('rate_limited');
    expect((await first.get('/connection')).status).toBe(200);
    expect((await second.get('/session')).status).toBe(200);
  });

  it('[J01] holds for the pages of a session, which waits for its refusal, and the others are served', async () => {
    const [first, second] = [other.browser(), other.browser()];
    await first.signIn();
    await second.signIn();
    const hit = async (): Promise<Answer> => await first.get('/connection');
    expect(await statuses(LIMIT, hit)).toEqual({ 200: LIMIT });
    const startedMs = performance.now();
    const refused = await hit();
    expect(performance.now() - startedMs).toBeGreaterThan(900);
    expect([refused.status, refused.text]).toEqual([
      429,
      expect.stringContaining('That was a lot'),
    ]);
    expect((await second.get('/connection')).status).toBe(200);
    other.clock.skipMs(MINUTE_MS);
    expect((await hit()).status).toBe(200);
  });

  it('[J04] is shared by all instances on one Redis', async () => {
    expect(await statuses(40, (index) => login(index % 2 === 0 ? site.app : other, '192.0.2.1'))).toEqual({ 302: LIMIT, 429: 30 }); // prettier-ignore
  });

  it('[J04] is not escaped by what a visitor writes into X-Forwarded-For', async () => {
    const spoofed = (index: number): string => `10.0.0.${index}, 198.51.100.${index}, 192.0.2.1`; // the last one is the proxy's
    expect(await statuses(30, (index) => login(site.app, spoofed(index)))).toEqual({
      302: LIMIT,
      429: 20,
    });
    const forwarded = (index: number): Promise<Answer> =>
      site.app.browser().get('/login', { ...from('192.0.2.7'), forwarded: `for=10.0.0.${index}`, 'x-real-ip': `10.0.0.${index}`, 'cf-connecting-ip': `10.0.0.${index}` }); // prettier-ignore
    expect(await statuses(30, forwarded)).toEqual({ 302: LIMIT, 429: 20 });
  });

  it('[J04] counts an IPv6 network of 64 bits as one visitor', async () => {
    expect(await statuses(30, (index) => login(site.app, `2001:db8:1:2:${index}::${index}`))).toEqual({ 302: LIMIT, 429: 20 }); // prettier-ignore
    expect((await login(site.app, '2001:db8:1:3::1')).status).toBe(302);
  });

  it('[J04] counts an IPv4 address written as IPv6 as the same', async () => {
    expect(await statuses(20, (index) => login(site.app, index % 2 === 0 ? '192.0.2.1' : '::ffff:192.0.2.1'))).toEqual({ 302: LIMIT, 429: 10 }); // prettier-ignore
  });

  it('[J04] that cannot be counted refuses: 503, and no sign-in begins', async () => {
    site.redis.pause();
    try {
      for (const path of ['/login', '/oauth/callback']) {
        const { status, location, setCookies } = await site.app
          .browser()
          .get(path, from('192.0.2.1'));
        expect([path, status, location, setCookies]).toEqual([path, 503, undefined, []]);
      }
    } finally {
      site.redis.resume();
    }
  });
});

describe('a token endpoint that fails', () => {
  it('[J02] is called at most three times for 50 pages that need a new token', async () => {
    const { app } = site;
    const browser = app.browser();
    await browser.signIn();
    app.sandbox.control.clearRequests();
    app.sandbox.control.set({ token: [{ mode: 'status', status: 500, times: 0 }] });
    try {
      app.clock.skipMs(3_601_000);
      const answered = await statuses(25, () => browser.get('/dashboard'));
      for (let times = 0; times < 25; times += 1)
        expect((await browser.get('/dashboard')).status).toBe(503);
      expect(Object.keys(answered).every((status) => ['502', '503', '504'].includes(status))).toBe(
        true,
      );
      expect(tokenRequests(app.sandbox).length).toBeLessThanOrEqual(3);
      expect(tokenRequests(app.sandbox).length).toBeGreaterThan(0);
    } finally {
      app.sandbox.control.reset();
    }
  });
});

describe('visitors who never sign in', () => {
  it('[J06] cannot push out anybody who is signed in: a full Redis is 503, and the process lives', async () => {
    const { app, redis } = site;
    const browser = app.browser();
    await browser.signIn();
    const used = Number(/used_memory:(\d+)/.exec(await redis.client.info('memory'))?.[1]);
    await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
    await redis.client.config('SET', 'maxmemory', String(Math.floor(used / 2)));
    try {
      expect((await login(app, '192.0.2.9')).status).toBe(503);
      expect((await browser.get('/dashboard')).status).toBe(200);
    } finally {
      await redis.client.config('SET', 'maxmemory', '0');
    }
    expect((await login(app, '192.0.2.9')).status).toBe(302);
    expect((await browser.get('/dashboard')).status).toBe(200);
  });
});
