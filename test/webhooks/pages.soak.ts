import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler } from 'express';
import { companyHash } from '../../src/getbill/grant-facts.js';
import { addEventsPage } from '../../src/webhooks/events-page.js';
import { streamChanges } from '../../src/webhooks/live.js';
import { signatureOf } from '../../src/webhooks/signature.js';
import { until } from '../support/until.js';
import type { Browser } from '../support/browser.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const SECRET = 'CANARY-webhook-secret-0123456789';
const OTHER = 'CANARY-secret-of-another-company';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());
beforeEach(() => redis.raw.flushall());

/** Signed in, in an app whose plain endpoint belongs to the company of the sandbox, and `/other` to another. */
async function withSignedIn(
  use: (app: TestApp, browser: Browser) => Promise<void>,
  { isOurs = true, env = {} }: { isOurs?: boolean; env?: Record<string, string> } = {},
) {
  const probe = await startTestApp();
  const visitor = probe.browser();
  await visitor.signIn();
  const profile = (await visitor.get('/api/company/profile')).json as { data: { id: string } };
  await probe.close();
  const app = await startTestApp({
    env: {
      REDIS_URL: redis.url,
      GETBILL_WEBHOOK_SECRET: SECRET,
      GETBILL_WEBHOOK_COMPANY: isOurs ? profile.data.id : 'nobody',
      GETBILL_WEBHOOK_ENDPOINTS: `other company-2 ${OTHER}`,
      ...env,
    },
  });
  try {
    const browser = app.browser();
    await browser.signIn();
    await browser.get('/dashboard');
    await use(app, browser);
  } finally {
    await app.close();
  }
}

async function deliver(
  app: TestApp,
  event: object,
  { path = '', secret = SECRET } = {},
): Promise<void> {
  const body = JSON.stringify(event);
  const headers = {
    'content-type': 'application/json',
    'x-getbill-signature': signatureOf(Buffer.from(body), secret),
  };
  const { status } = await fetch(`${app.origin}/webhooks/getbill${path}`, {
    method: 'POST',
    headers,
    body,
  });
  expect(status).toBe(200);
}

const updated = (id: string) => ({
  type: 'debt.updated',
  data: { id, debtor_name: 'CANARY-debtor' },
});
const cookieOf = ({ cookies }: Browser): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');

/** Reads a stream of the app in the name of `browser`. */
async function openStream(
  app: TestApp,
  browser: Browser,
  headers: Record<string, string> = {},
  path = '/events/live',
) {
  const leave = new AbortController();
  const response = await fetch(app.origin + path, {
    headers: { cookie: cookieOf(browser), ...headers },
    signal: leave.signal,
  });
  let text = '';
  let isOver = false;
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array);
  })()
    .catch(() => undefined)
    .finally(() => (isOver = true));
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    text: () => text,
    ids: () => [...text.matchAll(/^data: .*"id":"([^"]+)"/gm)].map(([, id]) => id),
    lastId: () => [...text.matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? '',
    isOver: () => isOver,
    async leave() {
      leave.abort();
      await reading;
    },
  };
}

describe('/events', () => {
  it('lists the last hundred events of my company, with their state and a link to the debt, under 40 KB', () =>
    withSignedIn(async (app, browser) => {
      expect((await browser.get('/events')).text).toContain('Nothing has come in yet');
      await deliver(app, updated('not-mine'), { path: '/other', secret: OTHER });
      for (let n = 0; n < 105; n += 1)
        await deliver(app, updated(`00000000-0000-4000-8000-000000000${100 + n}`));
      await until(
        'all are handled',
        async () => !(await browser.get('/events')).text.includes('Waiting'),
      );
      const { text } = await browser.get('/events');
      expect(text.match(/<li><a href="\/debts\/[\w-]+">Debt updated<\/a>/g)).toHaveLength(100);
      expect(text).toContain('/debts/00000000-0000-4000-8000-000000000204');
      expect(text).not.toMatch(/not-mine|CANARY/);
      expect(Buffer.byteLength(text)).toBeLessThan(40_000);
    }));

  it('says when an event came as its reader writes times', () =>
    withSignedIn(async (app, browser) => {
      await deliver(app, updated('mine'));
      const timeFor = async (language: string) =>
        /<time [^>]*>([^<]*)/.exec((await browser.get('/events', { 'accept-language': language })).text)?.[1]; // prettier-ignore
      expect(await timeFor('en-GB')).toMatch(/^\d+ \w+ \d{4}, \d\d:\d\d UTC$/);
      expect(await timeFor('en-US')).toMatch(/^\w+ \d+, \d{4}, \d+:\d\d [AP]M UTC$/u);
      expect((await browser.get('/events')).text).toContain('The last one.');
    }));

  it('handles one again when asked with the CSRF token, and none of another company', () =>
    withSignedIn(async (app, browser) => {
      await deliver(app, updated('mine'));
      await deliver(app, updated('theirs'), { path: '/other', secret: OTHER });
      const handled = () => app.events.filter(({ type }) => type === 'webhook_handled').length;
      await until('both are handled', () => handled() === 2);
      const [, entry = ''] =
        /name="entry" value="([^"]+)"/.exec((await browser.get('/events')).text) ?? [];
      const post = (form: Record<string, string>) =>
        browser.send('POST', '/events/again', {
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams(form).toString(),
        });
      expect((await post({ entry })).status).toBe(403);
      const _csrf = await browser.csrfToken();
      const [theirs] = await redis.client.xrange('webhook:stream:other', '-', '+');
      for (const wrong of [`other/${theirs?.[0] ?? ''}`, '/1-1', 'x', '', '/../1-1', `${entry}x`]) {
        expect([wrong, (await post({ entry: wrong, _csrf })).status]).toEqual([wrong, 404]);
      }
      const canary = await post({ entry: 'CANARY-entry', _csrf, other: 'CANARY-field' });
      expect(canary.status).toBe(404);
      expect(canary.text + app.logged() + JSON.stringify(app.events)).not.toContain('CANARY-');
      expect(handled()).toBe(2);
      expect(await post({ entry, _csrf })).toMatchObject({ status: 303, location: '/events' });
      expect((await browser.get('/events')).text).not.toContain('Waiting');
      await until('it is handled again', () => handled() === 3);
    }));

  it('names an event of an unknown type by the words of the type', () =>
    withSignedIn(async (app, browser) => {
      for (const type of ['Debt.Deleted', 'debt.status-changed', '__proto__', '..', 'urn:a-b'])
        await deliver(app, { type, data: {} });
      const { text } = await browser.get('/events');
      const names = [...text.matchAll(/<li><span>([^<]*)<\/span>/g)].map(([, name]) => name);
      expect(names.sort()).toEqual([
        '..',
        'Debt Deleted',
        'Debt status changed',
        'Proto',
        'Urn a b',
      ]);
    }));

  it('handles none again while the storage holds as many as it may', () =>
    withSignedIn(async (app, browser) => {
      await deliver(app, updated('mine'));
      await until('it is handled', () => app.events.some(({ type }) => type === 'webhook_handled'));
      const [, entry = ''] =
        /name="entry" value="([^"]+)"/.exec((await browser.get('/events')).text) ?? [];
      const fill = `redis.call('XADD', KEYS[1], '*', 'type', 'x')
        redis.call('XREADGROUP', 'GROUP', 'workers', 'another', 'STREAMS', KEYS[1], '>')
        for n = 1, 50000 do redis.call('XADD', KEYS[1], '*', 'type', 'x') end
        redis.call('XGROUP', 'SETID', KEYS[1], 'workers', '$')`;
      await redis.client.eval(fill, 1, 'webhook:stream:');
      const before = await redis.client.xlen('webhook:stream:');
      expect(before).toBeGreaterThan(50_000);
      const response = await browser.send('POST', '/events/again', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ entry, _csrf: await browser.csrfToken() }).toString(),
      });
      expect([response.status, response.headers['retry-after']]).toEqual([503, '30']);
      expect(await redis.client.xlen('webhook:stream:')).toBe(before);
    }));

  it('counts among the pages of a session, and so does "handle again"', () =>
    withSignedIn(
      async (_app, browser) => {
        const _csrf = await browser.csrfToken();
        expect((await browser.get('/events')).status).toBe(200);
        const again = () =>
          browser.send('POST', '/events/again', {
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams({ entry: '/1-1', _csrf }).toString(),
          });
        expect((await again()).status).toBe(404);
        const refused = [again(), browser.get('/events'), browser.get('/debts')];
        expect((await Promise.all(refused)).map(({ status }) => status)).toEqual([429, 429, 429]);
      },
      { env: { RATE_LIMIT_PAGES: '3' } }, // the dashboard was the first,
    ));

  it('says that the storage is away when the list does not come, as when one node of a Cluster is frozen', async () => {
    const app = express();
    const inbox = { recent: () => new Promise(() => undefined) };
    const facts = { read: () => Promise.resolve({ withheld: [], company: companyHash('mine') }) };
    addEventsPage(app, {
      endpoints: [{ name: '', companyId: 'mine', inbox }] as never,
      facts,
      guards: [],
    });
    const failed = new Promise((resolve) => {
      const note: ErrorRequestHandler = (error, _req, res, _next) => {
        resolve(error);
        res.end();
      };
      app.use(note);
    });
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/events`);
    server.close();
    expect(await failed).toMatchObject({ code: 'storage_unavailable', status: 503 });
  });

  it('is not there without a secret, and asks for a sign-in', async () => {
    const app = await startTestApp();
    try {
      const browser = app.browser();
      await browser.signIn();
      expect((await browser.get('/events')).status).toBe(404);
      expect((await browser.get('/dashboard')).text).not.toContain('/events');
    } finally {
      await app.close();
    }
    await withSignedIn(async (on) => {
      expect((await on.browser().get('/events')).status).not.toBe(200);
      expect((await on.browser().get('/events/live')).status).not.toBe(200);
    });
  });
});

describe('open pages', () => {
  it('are told type and id of what has changed, and go on where they left off', () =>
    withSignedIn(async (app, browser) => {
      const first = await openStream(app, browser);
      expect(first).toMatchObject({
        status: 200,
        type: expect.stringContaining('text/event-stream') as string,
      });
      await deliver(app, updated('not-mine'), { path: '/other', secret: OTHER });
      await deliver(app, updated('one'));
      await until('it is told', () => first.ids().length === 1);
      await first.leave();
      await deliver(app, updated('two'));
      await until(
        'it is handled',
        () => app.events.filter(({ type }) => type === 'webhook_handled').length === 3,
      );
      const second = await openStream(app, browser, { 'last-event-id': first.lastId() });
      await until('what was missed is told', () => second.ids().length === 1);
      await deliver(app, updated('three'));
      await until('and what comes then', () => second.ids().length === 2);
      expect([first.ids(), second.ids()]).toEqual([['one'], ['two', 'three']]);
      expect(first.text() + second.text()).not.toContain('CANARY');
      for (const odd of ['x', '1', '99999999999999999-1', '1-1;']) {
        const third = await openStream(app, browser, { 'last-event-id': odd });
        expect(third.status).toBe(200);
        await third.leave();
      }
      await second.leave();
    }));

  it('are told all that they missed, however much it is', () =>
    withSignedIn(async (app, browser) => {
      const first = await openStream(app, browser);
      await deliver(app, updated('first'));
      await until('it is told', () => first.ids().length === 1);
      await first.leave();
      const missed = Array.from({ length: 120 }, (_, index) => `missed-${index}`);
      for (const id of missed) await deliver(app, updated(id));
      const handled = () => app.events.filter(({ type }) => type === 'webhook_handled').length;
      await until('all are handled', () => handled() === 121);
      const second = await openStream(app, browser, { 'last-event-id': first.lastId() });
      await until('the last is told', () => second.ids().length === missed.length);
      expect(second.ids().sort()).toEqual(missed.sort());
      await second.leave();
    }));

  it('are told what changed while they were being made', () =>
    withSignedIn(async (app, browser) => {
      const { text } = await browser.get('/debts');
      const [, path = ''] = /data-changes="([^"]+)"/.exec(text) ?? [];
      await deliver(app, updated('in-between'));
      await until('it is handled', () => app.events.some(({ type }) => type === 'webhook_handled'));
      const stream = await openStream(app, browser, {}, path);
      await until('it is told', () => stream.ids().length === 1);
      expect(stream.ids()).toEqual(['in-between']);
      await stream.leave();
    }));

  it.each([
    ['ahead of', 600_000],
    ['behind', -600_000],
  ])('are told the same by a process whose clock is ten minutes %s that of Redis', (_how, ms) =>
    withSignedIn(async (app, browser) => {
      const another = await openStream(app, browser);
      await deliver(app, updated('before'));
      await until('it is told', () => another.ids().length === 1);
      app.clock.skipMs(ms);
      const { text } = await browser.get('/debts');
      const [, path = ''] = /data-changes="([^"]+)"/.exec(text) ?? [];
      await deliver(app, updated('in-between'));
      await until('it is told', () => another.ids().length === 2);
      await another.leave();
      const stream = await openStream(app, browser, {}, path);
      await until('it is told', () => stream.ids().includes('in-between'));
      expect(stream.ids()).toEqual(['in-between']);
      await stream.leave();
    }),
  );

  it('have no stream for a company without an endpoint, so the browser does not ask again', () =>
    withSignedIn(
      async (app, browser) => {
        expect((await openStream(app, browser)).status).toBe(204);
      },
      { isOurs: false },
    ));

  it('lose their stream at sign-out', () =>
    withSignedIn(async (app, browser) => {
      const stream = await openStream(app, browser);
      expect(stream.isOver()).toBe(false);
      await browser.signOut();
      await until('it is over', () => stream.isOver());
    }));

  it('open only so many streams a minute, one by HEAD among them, which ends at once', () =>
    withSignedIn(
      async (app, browser) => {
        const head = await browser.send('HEAD', '/events/live');
        const statuses = [head.status];
        for (let n = 0; n < 3; n += 1) {
          const stream = await openStream(app, browser);
          statuses.push(stream.status);
          await stream.leave();
        }
        expect(statuses).toEqual([200, 200, 200, 429]);
      },
      { env: { RATE_LIMIT_PAGES: '3' } },
    ));

  it('hold six streams a session', () =>
    withSignedIn(async (app, browser) => {
      const streams = [];
      for (let n = 0; n < 6; n += 1) streams.push(await openStream(app, browser));
      expect((await openStream(app, browser)).status).toBe(429);
      await streams[0]?.leave();
      await until('there is room', async () => {
        const next = await openStream(app, browser);
        await next.leave();
        return next.status === 200;
      });
      for (const stream of streams) await stream.leave();
    }));

  it.each([
    ['all sessions', 1_000, 'another'],
    ['one company', 750, 'mine'],
  ])('of %s hold %i streams, and the next is refused', async (_whose, max, companyId) => {
    const company = companyHash(companyId);
    const one = { grantId: 'another', address: '192.0.2.1', company, tell: () => undefined };
    const handler = streamChanges({
      listeners: new Set(Array.from({ length: max }, () => ({ ...one }))),
      endpoints: [{ companyId: 'mine' }] as never,
      facts: { read: () => Promise.resolve({ withheld: [], company: companyHash('mine') }) },
      isSignedIn: () => Promise.resolve(true),
    });
    const res = { locals: { grantId: 'mine' } };
    const opened = handler({} as never, res as never, () => undefined);
    await expect(opened).rejects.toMatchObject({ status: 503, retryAfterS: 60 });
  });
});
