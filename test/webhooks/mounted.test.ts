import { createConnection } from 'node:net';
import { signatureOf } from '../../src/webhooks/signature.js';
import { until } from '../support/until.js';
import { companyProfiles } from '../../sandbox/api/data/companies.js';
import type { Browser } from '../support/browser.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { startTestApp, type TestApp, type TestAppOptions } from '../support/test-app.js';

const SECRET = 'CANARY-webhook-secret-0123456789';
const on = { GETBILL_WEBHOOK_SECRET: SECRET, GETBILL_WEBHOOK_COMPANY: 'company-1' };
const SECRET_OF_ACME = 'CANARY-webhook-secret-of-acme-0123';
const named = { GETBILL_WEBHOOK_ENDPOINTS: `acme company-2 ${SECRET_OF_ACME}` };
const event = JSON.stringify({ type: 'debt.updated', data: { id: 'd1', debtor: 'CANARY-debtor' } });
const signed = (body: string, secret = SECRET) => ({
  'content-type': 'application/json',
  'x-getbill-signature': signatureOf(Buffer.from(body), secret),
});

async function withApp(
  options: TestAppOptions,
  use: (app: TestApp) => Promise<void>,
): Promise<void> {
  const app = await startTestApp(options);
  try {
    await use(app);
  } finally {
    await app.close();
  }
}

const deliver = (app: TestApp, headers: Record<string, string> = signed(event), body = event) =>
  fetch(`${app.origin}/webhooks/getbill`, { method: 'POST', headers, body });

const handled = (app: TestApp) => app.events.filter(({ type }) => type === 'webhook_handled');

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());
beforeEach(() => redis.raw.flushall());

describe('webhooks in the app', () => {
  it('[I03] are not there without a secret', () =>
    withApp({}, async (app) => {
      for (const method of ['POST', 'GET']) {
        const { status } = await fetch(`${app.origin}/webhooks/getbill`, { method });
        expect([method, status]).toEqual([method, 404]);
      }
      expect((await deliver(app, signed(event, ''))).status).toBe(404);
    }));

  it.each(['memory', 'Redis'])('are stored, handled and reported, with %s', (where) =>
    withApp({ env: { ...on, ...(where === 'Redis' && { REDIS_URL: redis.url }) } }, async (app) => {
      expect((await deliver(app)).status).toBe(200);
      expect((await deliver(app)).status).toBe(200);
      await until('it is handled', () => handled(app).length === 1);
      const received = app.events.filter(({ type }) => type === 'webhook_received');
      expect(received).toMatchObject([
        { endpoint: '', eventType: 'debt.updated', outcome: 'new' },
        { endpoint: '', eventType: 'debt.updated', outcome: 'duplicate' },
      ]);
      const metrics = (await app.services.metrics.text()).body;
      expect(metrics).toContain('getbill_connect_webhooks_total{outcome="duplicate"} 1');
      expect(metrics).toMatch(
        /request_seconds_count\{method="POST",route="\/webhooks\/getbill",status="200"\} 2/,
      );
    }),
  );

  it('are stored, and their page is shown, while the process stops: their connection to Redis is closed after the last response', () =>
    withApp({ env: { ...on, REDIS_URL: redis.url } }, async (app) => {
      const browser = app.browser();
      await browser.signIn();
      await app.services.stop();
      expect((await deliver(app)).status).toBe(200);
      expect((await browser.get('/events')).status).toBe(200);
    }));

  it('[I07] know no session: no cookie is set, no session touched, and one identity is remembered', () =>
    withApp({ env: { ...on, REDIS_URL: redis.url } }, async (app) => {
      const browser = app.browser();
      await browser.signIn();
      await redis.client.config('RESETSTAT');
      const [session = ''] = await redis.client.keys('sess:*');
      const before = [await redis.client.get(session), await redis.client.pexpiretime(session)];
      const response = await deliver(app, { ...signed(event), cookie: cookieHeader(browser) });
      expect(response.status).toBe(200);
      expect(response.headers.getSetCookie()).toEqual([]);
      await until('it is handled', () => handled(app).length === 1);
      expect([await redis.client.get(session), await redis.client.pexpiretime(session)]).toEqual(
        before,
      );
      expect(await redis.client.keys('webhook:seen:*')).toHaveLength(1);
      expect(await redis.client.keys('sess:*')).toHaveLength(1);
    }));

  it('[D07] are the only route without a CSRF token: nothing that looks like it ends a session', () =>
    withApp({ env: { ...on, ...named, REDIS_URL: redis.url } }, async (app) => {
      const browser = app.browser();
      await browser.signIn();
      const cookie = cookieHeader(browser);
      const targets = [
        '/webhooks/getbill/../../logout',
        '/webhooks/getbill/%2e%2e/%2e%2e/logout',
        '/webhooks/getbill%2f..%2flogout',
        '/webhooks/getbill/..%2f..%2flogout',
        '//webhooks/getbill/../logout',
        '/webhooks/getbill/',
        '/WEBHOOKS/GETBILL',
        '/WEBHOOKS/GETBILL/',
        '/webhooks/getbill/unknown',
        '/webhooks/getbill;/logout',
        '/webhooks/getbill/logout',
        '/webhooks/getbill/acme/../../../logout',
        '/webhooks/getbill/acme/%2e%2e/%2e%2e/%2e%2e/logout',
        '/webhooks/getbill/acme%2f..%2f..%2f..%2flogout',
        '/webhooks/getbill/acme/logout',
        '/webhooks/getbill/acme/',
        '/webhooks/getbill/ACME',
        '/webhooks/getbill/acme;/logout',
        '/webhooks/getbill/acme%00',
        '/webhooks/getbill/%61cme/logout',
        '/webhooks/getbill/__proto__',
        '/webhooks/getbill/acme', // signed with the secret of the plain endpoint
        '/webhooks',
        '/logout?x=/webhooks/getbill',
        '/logout#/webhooks/getbill',
        '/logout',
      ];
      for (const target of targets) {
        const type = target.startsWith('/logout')
          ? 'application/x-www-form-urlencoded'
          : 'application/json';
        const status = await rawPost(app, target, { cookie, 'content-type': type });
        expect([target, status]).toEqual([target, expect.stringMatching(/^(401|403|404)$/)]);
      }
      expect((await browser.get('/dashboard')).status).toBe(200);
      expect(await rawPost(app, '/webhooks/getbill?x=/logout', { cookie })).toBe('200');
      const theirs = { cookie, ...signed(event, SECRET_OF_ACME) };
      expect(await rawPost(app, '/webhooks/getbill/acme?x=/logout', theirs)).toBe('200');
      expect((await browser.get('/dashboard')).status).toBe(200);
    }));

  it('[I11] are refused with 503 while Redis is away, so that GetBill sends them again, and stored when it is back', () =>
    withApp({ env: { ...on, REDIS_URL: redis.url } }, async (app) => {
      await redis.stop();
      await until('it is refused', async () => (await deliver(app)).status === 503);
      await redis.start();
      await until('it is stored', async () => (await deliver(app)).status === 200);
      await until('it is handled', () => handled(app).length === 1);
    }));

  it('[I12] leave no body, secret or signature in logs, events or Redis', () =>
    withApp({ env: { ...on, REDIS_URL: redis.url } }, async (app) => {
      await deliver(app);
      await deliver(app, signed(event, 'CANARY-another-secret'));
      await deliver(app, { ...signed('CANARY nonsense') }, 'CANARY nonsense');
      await until('it is handled', () => handled(app).length === 1);
      const streams = await Promise.all(
        (await redis.client.keys('webhook:*')).map(async (key) =>
          (await redis.client.type(key)) === 'stream'
            ? redis.client.xrange(key, '-', '+')
            : redis.client.get(key),
        ),
      );
      expect(streams.length).toBeGreaterThan(1);
      const seen = [app.logged(), JSON.stringify(app.events), JSON.stringify(streams)].join('\n');
      expect(seen).not.toContain('CANARY-');
      expect(seen).not.toContain(signatureOf(Buffer.from(event), SECRET));
      expect(app.logged()).toContain('signature_different');
    }));

  it('drop what is cached of that company in every process, and of no other', () =>
    withApp({ env: { ...on, REDIS_URL: redis.url } }, (first) =>
      withApp({ env: { ...on, REDIS_URL: redis.url }, sandbox: first.sandbox }, async (second) => {
        const profile = (id: string) => ({
          id,
          name: id,
          email: null,
          phone: null,
          created_at: null,
        });
        const reads: string[] = [];
        const read = (app: TestApp, id: string) =>
          app.services.profiles.get(`grant-${id}`, async () => {
            reads.push(id);
            return profile(id);
          });
        for (const id of ['company-1', 'company-2']) await read(second, id);
        await deliver(first);
        await until('it is read again', async () => {
          await read(second, 'company-1');
          return reads.length === 3;
        });
        await read(second, 'company-2');
        expect(reads).toEqual(['company-1', 'company-2', 'company-1']);
      }),
    ));

  it('have the figures of the dashboard read again, for that company and no other', async () => {
    const [mine] = companyProfiles;
    const ours = { ...on, GETBILL_WEBHOOK_COMPANY: mine.id, ...named };
    await withApp({ env: { ...ours, REDIS_URL: redis.url } }, async (app) => {
      const browser = app.browser();
      await browser.signIn();
      const readsOfDashboard = async (): Promise<number> => {
        const before = app.sandbox.control.state().counters.apiCalls;
        expect((await browser.get('/dashboard')).status).toBe(200);
        return app.sandbox.control.state().counters.apiCalls - before;
      };
      expect(await readsOfDashboard()).toBeGreaterThan(3);
      expect(await readsOfDashboard()).toBe(0);
      const theirs = await fetch(`${app.origin}/webhooks/getbill/acme`, { method: 'POST', headers: signed(event, SECRET_OF_ACME), body: event }); // prettier-ignore
      expect(theirs.status).toBe(200);
      await until('it is handled', () => handled(app).length === 1);
      expect(await readsOfDashboard()).toBe(0);
      await deliver(app);
      await until('it is read again', async () => (await readsOfDashboard()) > 3);
    });
  });
});

const cookieHeader = ({ cookies }: Browser): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');

/** `fetch` would tidy the path up. */
function rawPost(app: TestApp, target: string, more: Record<string, string>): Promise<string> {
  const headers = Object.entries({
    ...signed(event),
    ...more,
    host: new URL(app.publicUrl).host,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    const socket = createConnection(Number(new URL(app.origin).port), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? text));
    socket.write(`POST ${target} HTTP/1.1\r\n${headers.join('')}Connection: close\r\n`);
    socket.write(`Content-Length: ${Buffer.byteLength(event)}\r\n\r\n${event}`);
  });
}
