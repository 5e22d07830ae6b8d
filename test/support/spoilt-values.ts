import { createHmac, hash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { defaultClientId } from '../../sandbox/sandbox.js';
import type { TokenSet } from '../../src/core/oauth/token-set.js';
import { grantIdOf } from '../../src/web/session/session.js';
import type { Answer } from './browser.js';
import type { RedisServer } from './redis-server.js';
import { callbackFor, cookieNames, paramOf, sessionIdOf, signed } from './sign-in.js';
import { SESSION_SECRET, startTestApp, type TestApp } from './test-app.js';

/** What somebody else has put where the app keeps a record. */
interface Spoilt {
  type: 'string' | 'hash' | 'list' | 'set' | 'zset' | 'stream';
  value: string;
  /** `undefined`: it never ends. */
  ttlMs: number | undefined;
}

const NUMBERS = [
  '0',
  'infinite',
  '-1',
  '1.5',
  '1e999',
  '-1e999',
  'NaN',
  'Infinity',
  '9007199254740993',
  '9'.repeat(400),
];
const TEXTS = ['', ' ', 'null', 'undefined', 'true', '{}', '[]', '[[]]', '"text"', '{', '\0', '\ud800', 'x'.repeat(70_000), '{"__proto__":{"status":999}}', '{"constructor":1}', '[1,2,3]', '<html>']; // prettier-ignore
const FIELDS = ['status', 'code', 'untilMs', 'limit', 'remaining', 'resetAtMs', 'blockedUntilMs', 'windowMs', 'retryAfterS', 'withheld', 'company', 'cookie', 'signedInAtMs', 'csrfSecret', 'expiresAtMs', 'accessToken', 'scopes', '__proto__']; // prettier-ignore

/** `records`: good ones, of any kind; they are put elsewhere, and cut off. */
function spoiltBy(records: readonly string[]): fc.Arbitrary<Spoilt> {
  const anyField = fc.oneof(
    fc.constantFrom<unknown>(null, {}, [], '', 'text', 200, 999, -1, 1e300, true),
    fc.jsonValue(),
  );
  const value = fc.oneof(
    fc.constantFrom(...NUMBERS, ...TEXTS),
    fc.json(),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.dictionary(fc.constantFrom(...FIELDS), anyField).map((object) => JSON.stringify(object)),
    fc
      .tuple(fc.constantFrom(...FIELDS), fc.constantFrom(...NUMBERS))
      .map(([name, text]) => `{"${name}":${text}}`),
    fc.constantFrom(...records),
    fc
      .tuple(fc.constantFrom(...records), fc.nat({ max: 400 }))
      .map(([text, length]) => text.slice(0, length)),
  );
  return fc.record({
    type: fc.oneof({ weight: 6, arbitrary: fc.constant('string' as const) }, fc.constantFrom('hash' as const, 'list' as const, 'set' as const, 'zset' as const, 'stream' as const)), // prettier-ignore
    value,
    ttlMs: fc.constantFrom(60_000, 60_000, undefined),
  });
}

async function put(client: Redis, key: string, { type, value, ttlMs }: Spoilt): Promise<void> {
  await client.del(key);
  if (type === 'string') await client.set(key, value);
  if (type === 'hash') await client.hset(key, 'field', value);
  if (type === 'list') await client.rpush(key, value);
  if (type === 'set') await client.sadd(key, value);
  if (type === 'zset') await client.zadd(key, 1, value);
  if (type === 'stream') await client.xadd(key, '*', 'field', value);
  if (ttlMs !== undefined) await client.pexpire(key, ttlMs);
}

interface Person {
  get: (path: string) => Promise<Answer>;
  id: string;
  grantId: string;
}

interface Site {
  /** Good ones of every kind that a sign-in leaves behind. */
  records: readonly { key: string; value: string }[];
  redis: RedisServer;
  app: TestApp;
  /** What limits and quota put between the kind of a key and its name. */
  scope: string;
  /** A person with a session of his own, whose tokens are good, or have expired. */
  person: (tokens: 'good' | 'expired') => Promise<Person>;
}

interface Kind {
  name: string;
  /** How keys of such records begin. */
  prefix: string;
  /** Whether the value is one that the app might have written. */
  isGood?: (spoilt: Spoilt) => boolean;
  /** Puts the value where such a record is kept, and does what reads it. */
  meet: (site: Site, spoil: (key: string) => Promise<void>) => Promise<Answer>;
  /** What becomes of the request when the record is absent. */
  statuses: readonly number[];
  /** One of these is reported. */
  events: readonly string[];
}

const ended = { statuses: [401], events: ['session_ended'] };

const quotaKind = (name: string, suffix = ''): Kind => ({
  name,
  prefix: 'quota:',
  isGood: ({ value, ttlMs }) => /"retryAfterS":[\d.]/.test(value) && ttlMs !== undefined,
  async meet({ app, person, scope }, spoil) {
    const { get } = await person('good');
    app.clock.skipMs(2_000); // it is read once a second
    await spoil(`quota:${scope}:read${suffix}`);
    return await get('/api/debts');
  },
  statuses: [200],
  events: ['record_replaced'],
});

const KINDS: readonly Kind[] = [
  {
    name: 'a session',
    prefix: 'sess:',
    async meet({ person }, spoil) {
      const { get, id } = await person('good');
      await spoil(`sess:${id}`);
      return await get('/api/debts');
    },
    statuses: [401],
    events: ['session_broken', 'session_expired'],
  },
  {
    name: 'a token set',
    prefix: 'grant:',
    async meet({ person }, spoil) {
      const { get, grantId } = await person('expired');
      await spoil(`grant:${grantId}`);
      return await get('/api/debts');
    },
    ...ended,
  },
  {
    name: 'a sign-in under way',
    prefix: 'login:',
    async meet({ app }, spoil) {
      const browser = app.browser();
      const url = await browser.startLogin();
      const binding = browser.cookies.get(cookieNames(app).login) ?? '';
      await spoil(
        `login:${createHmac('sha256', binding).update(paramOf(url, 'state')).digest('base64url')}`,
      );
      return await browser.get(callbackFor(url));
    },
    statuses: [400],
    events: ['login_failed'],
  },
  {
    name: 'a recent sign-in',
    prefix: 'arrival:',
    async meet({ app }, spoil) {
      const browser = app.browser();
      await browser.startLogin();
      const binding = browser.cookies.get(cookieNames(app).login) ?? '';
      await spoil(`arrival:${hash('sha256', binding, 'base64url')}`);
      return await browser.get('/login');
    },
    statuses: [302],
    events: ['record_replaced'],
  },
  {
    name: 'a pause after a failed renewal',
    prefix: 'backoff:',
    async meet({ person }, spoil) {
      const { get, grantId } = await person('expired');
      await spoil(`backoff:${grantId}`);
      return await get('/api/debts');
    },
    ...ended,
  },
  {
    name: 'a note of an attempt',
    prefix: 'attempt:',
    async meet({ person }, spoil) {
      const { get, grantId } = await person('expired');
      await spoil(`attempt:${grantId}`);
      return await get('/api/debts');
    },
    ...ended,
  },
  {
    name: 'a lease without an end',
    prefix: 'lease:',
    async meet({ person, redis }, spoil) {
      const { get, grantId } = await person('expired');
      await spoil(`lease:${grantId}`);
      await redis.client.persist(`lease:${grantId}`);
      return await get('/api/debts');
    },
    ...ended,
  },
  {
    name: 'a limit',
    prefix: 'rate:',
    // A counter within its minute cannot be told from ours; zero is none.
    isGood: ({ type, value, ttlMs }) =>
      type === 'string' && /^\d{1,18}$/.test(value) && (ttlMs !== undefined || Number(value) === 0),
    async meet({ app, redis }, spoil) {
      const browser = app.browser();
      await browser.get('/login');
      for (const key of await redis.client.keys('rate:*')) await spoil(key);
      return await browser.get('/login');
    },
    statuses: [302],
    events: ['record_replaced'],
  },
  quotaKind("what is left of GetBill's quota"),
  quotaKind('that GetBill wants no calls for a while', ':blocked'),
  {
    name: 'what is known about a grant',
    prefix: 'facts:',
    isGood: ({ value }) => /"withheld":\[("|\])/.test(value),
    async meet({ person }, spoil) {
      const { get, grantId } = await person('good');
      await spoil(`facts:${grantId}`);
      return await get('/api/debts');
    },
    statuses: [200],
    events: ['record_replaced'],
  },
  {
    name: "the app's own token",
    prefix: 'grant:app.',
    async meet({ app, redis }, spoil) {
      const read = async (): Promise<void> => void (await app.services.appClient.companyProfile());
      await read();
      app.clock.skipMs(7_200_000);
      for (const key of await redis.client.keys('grant:app.*')) await spoil(key);
      await read();
      return { status: 200 } as Answer;
    },
    statuses: [200],
    events: ['session_ended', 'token_requested'],
  },
];

async function startSite(
  startRedis: () => Promise<RedisServer>,
): Promise<Site & { close(): Promise<void> }> {
  const redis = await startRedis();
  // Limits below forty are counted one by one, so every request reads the record.
  const app = await startTestApp({
    env: { REDIS_URL: redis.url, RATE_LIMIT_LOGIN: '39' },
    faults: { limitReads: 1_000_000 },
  });
  const { session } = cookieNames(app);
  let good: TokenSet | undefined;
  await someoneSignedIn();
  const records = await Promise.all(
    (await redis.client.keys('*')).map(async (key) => ({
      key,
      value: (await redis.client.get(key)) ?? '',
    })),
  );
  return {
    records,
    scope: hash('sha256', defaultClientId, 'base64url').slice(0, 8),
    redis,
    app,
    async person(tokens) {
      const id = randomBytes(18).toString('base64url');
      const grantId = grantIdOf(id);
      const issuedAtMs = app.services.now() - 3_600_000;
      const record = { cookie: {}, signedInAtMs: issuedAtMs, csrfSecret: 'secret' };
      await redis.client.set(`sess:${id}`, JSON.stringify(record), 'PX', 600_000);
      const source = tokens === 'good' ? await someoneSignedIn() : undefined;
      const tokenSet = source ?? { accessToken: 'access', refreshToken: 'unknown', scopes: ['debts:read'], issuedAtMs, expiresAtMs: issuedAtMs + 1, renewals: 0 }; // prettier-ignore
      await app.services.tokens.establish(grantId, tokenSet, { ttlMs: 600_000 });
      const browser = app.browser();
      browser.cookies.set(session, signed(id, SESSION_SECRET));
      return { id, grantId, get: (path) => browser.get(path) };
    },
    async close() {
      await app.close();
      await redis.close();
    },
  };

  /** The token set of somebody for whom GetBill's API answers. */
  async function someoneSignedIn(): Promise<TokenSet> {
    if (good !== undefined && good.expiresAtMs > app.services.now() + 600_000) return good;
    const browser = app.browser();
    await browser.signIn();
    good = await app.services.tokens.fresh(grantIdOf(sessionIdOf(browser)));
    return good;
  }
}

/** Every kind of record meets `runs` values; each must count as absent, be reported, and never be a fault of ours. */
export function describeSpoiltValues({
  runs,
  startRedis,
}: {
  runs: number;
  startRedis: () => Promise<RedisServer>;
}): void {
  describe('a record that is not what the app wrote', () => {
    let site: Awaited<ReturnType<typeof startSite>>;
    beforeAll(async () => {
      site = await startSite(startRedis);
    });
    afterAll(() => site.close());

    it.each(KINDS.map((kind) => [kind.name, kind] as const))(
      `%s: absent, ${runs} times`,
      async (_name, kind) => {
        const { redis, app } = site;
        const others = site.records
          .filter(({ key }) => !key.startsWith(kind.prefix))
          .map(({ value }) => value);
        const values = fc
          .sample(spoiltBy(others), runs)
          .filter((spoilt) => kind.isGood?.(spoilt) !== true);
        const wrong: unknown[] = [];
        for (const spoilt of values) {
          await redis.client.flushall();
          app.events.length = 0;
          const { status } = await kind.meet(site, (key) => put(redis.client, key, spoilt));
          const events = new Set<string>(app.events.map(({ type }) => type));
          const isRight =
            kind.statuses.includes(status) && kind.events.some((type) => events.has(type));
          if (!isRight) wrong.push({ status, events: [...events].join(' '), spoilt });
        }
        expect(wrong.slice(0, 3)).toEqual([]);
      },
    );
  });
}
