/// <reference types="jest" />
import expressSession, { type SessionData } from 'express-session';
import { StorageError } from '../../src/errors.js';
import type { AppEvent } from '../../src/events.js';
import type { KeyValue } from '../../src/core/storage/key-value.js';
import { SessionStore } from '../../src/web/session/session-store.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { connectStorage, passTime, type RedisStorage } from '../support/redis-storage.js';
import { until } from '../support/until.js';

jest.setTimeout(30_000);

const idleMs = 1_800_000;
const maxMs = 28_800_000;

let server: RedisServer;
let storage: RedisStorage;
let nowMs: number;
let passedMs: number;
let touches: number;
let lastTouch: Promise<void>;
const events: AppEvent[] = [];

beforeAll(async () => {
  server = await startRedis();
  storage = await connectStorage(server);
});
beforeEach(async () => {
  nowMs = Date.now();
  passedMs = 0;
  touches = 0;
  events.length = 0;
  await server.client.flushall();
});
afterAll(async () => {
  await storage.keyValue.close();
  await server.close();
});

async function touched(): Promise<void> {
  await until('a touch has come', () => touches === 1);
  await lastTouch;
}

/** The store, its callbacks as promises. */
function open({
  keyValue = storage.keyValue,
  idle = idleMs,
}: { keyValue?: KeyValue; idle?: number } = {}) {
  const counting: KeyValue = {
    ...keyValue,
    expire(...args) {
      touches += 1;
      return (lastTouch = keyValue.expire(...args));
    },
  };
  const emit = (event: AppEvent): void => void events.push(event);
  const monotonicMs = (): number => passedMs;
  const store = new SessionStore({
    keyValue: counting,
    emit,
    now: () => nowMs,
    monotonicMs,
    idleMs: idle,
    maxMs,
  });
  const promised = <T>(
    act: (done: (error?: unknown, value?: T) => void) => void,
  ): Promise<T | undefined> =>
    new Promise((resolve, reject) => {
      act((error, value) => {
        if (error instanceof Error) reject(error);
        else resolve(value);
      });
    });
  return {
    store,
    get: (id: string) => promised<SessionData | null>((done) => void store.get(id, done)),
    set: (id: string, session: SessionData) =>
      promised((done) => void store.set(id, session, done)),
    touch: (id: string, session: SessionData) =>
      promised((done) => void store.touch(id, session, done)),
    destroy: (id: string) => promised((done) => void store.destroy(id, done)),
  };
}

/** What was reported about the record itself; that somebody's session is over is reported besides. */
const reports = () => events.filter(({ type }) => type !== 'session_expired');

const session = ({ ageMs = 0 } = {}): SessionData => ({
  cookie: new expressSession.Cookie(),
  signedInAtMs: nowMs - ageMs,
  csrfSecret: 'secret',
});

const leftS = async (): Promise<number> => Math.ceil((await server.client.pttl('sess:s1')) / 1000);

describe('a session in the store', () => {
  it('comes back as it was written, and is gone once destroyed', async () => {
    const { get, set, destroy } = open();
    await set('s1', session());
    expect(await get('s1')).toMatchObject({
      signedInAtMs: nowMs,
      csrfSecret: 'secret',
      cookie: { path: '/' },
    });
    expect(events).toEqual([]);
    await destroy('s1');
    expect(await get('s1')).toBeNull();
    expect(events).toEqual([{ type: 'session_expired' }]);
  });

  it('[C05] lives for the idle time', async () => {
    await open().set('s1', session());
    expect(await leftS()).toBeLessThanOrEqual(idleMs / 1000);
    expect(await leftS()).toBeGreaterThan(idleMs / 1000 - 10);
  });

  it('[C06] lives no longer than what is left of its whole life', async () => {
    const { set, touch } = open();
    await set('s1', session({ ageMs: maxMs - 100_000 }));
    expect(await leftS()).toBeLessThanOrEqual(100);
    nowMs += 60_000;
    await touch('s1', session({ ageMs: maxMs - 40_000 }));
    await touched();
    expect(await leftS()).toBeLessThanOrEqual(40);
    expect(await leftS()).toBeGreaterThan(30);
  });

  it('[C06] is over at the end of its whole life, however it got there', async () => {
    const { get } = open();
    for (const [ageMs, alive] of [
      [maxMs - 1, true],
      [maxMs, false],
      [maxMs + 1, false],
    ] as const) {
      await server.client.set('sess:s1', JSON.stringify(session({ ageMs })), 'PX', 60_000);
      expect([ageMs, (await get('s1')) !== null]).toEqual([ageMs, alive]);
    }
  });

  it('[C06] is not written any more when its life is over', async () => {
    await open().set('s1', session({ ageMs: maxMs + 1 }));
    expect(await server.client.exists('sess:s1')).toBe(0);
  });
});

describe('a record that is no session', () => {
  it.each([
    '{garbage',
    '"str"',
    '{"a":1}',
    '[]',
    '[{"cookie":{}}]',
    'null',
    '7',
    'true',
    '{"cookie":{}}',
    '{"cookie":{},"signedInAtMs":1}',
    '{"cookie":null,"signedInAtMs":1,"csrfSecret":"s"}',
    '{"cookie":"c","signedInAtMs":1,"csrfSecret":"s"}',
    '{"cookie":{},"signedInAtMs":"1","csrfSecret":"s"}',
    '{"cookie":{},"signedInAtMs":1,"csrfSecret":7}',
    '{"cookie":{},"signedInAtMs":1e999,"csrfSecret":"s"}',
    '{"cookie":{},"signedInAtMs":-1,"csrfSecret":"s"}',
    '{"cookie":{},"signedInAtMs":1.5,"csrfSecret":"s"}',
    '{"cookie":{},"signedInAtMs":9000000000000000,"csrfSecret":"s"}',
    '{"cookie":{},"signedInAtMs":1,"csrfSecret":""}',
    '{"cookie":{},"signedInAtMs":1,"csrfSecret":"\\ud800"}',
    `{"cookie":{},"signedInAtMs":1,"csrfSecret":"${'s'.repeat(65)}"}`,
    `{"cookie":{"a":"${'s'.repeat(4096)}"},"signedInAtMs":1,"csrfSecret":"s"}`,
  ])('[C11] (%s) counts as none, is removed and reported', async (text) => {
    await server.client.set('sess:s1', text, 'PX', 60_000);
    expect(await open().get('s1')).toBeNull();
    expect(await server.client.exists('sess:s1')).toBe(0);
    expect(reports()).toEqual([{ type: 'session_broken', reason: expect.any(String) as string }]);
  });

  it('[C11] but a hash counts as none, is removed and reported', async () => {
    await server.client.hset('sess:s1', 'field', 'value');
    expect(await open().get('s1')).toBeNull();
    expect(await server.client.exists('sess:s1')).toBe(0);
    expect(reports()).toMatchObject([{ type: 'session_broken' }]);
  });

  it('but a cookie that express-session cannot read is still a session', async () => {
    const cookie = { maxAge: 'x', expires: 7, originalMaxAge: {}, sameSite: 'evil', path: [] };
    await server.client.set(
      'sess:s1',
      JSON.stringify({ ...session(), cookie, __proto__: 7, user: 'x' }),
      'PX',
      60_000,
    );
    expect(await open().get('s1')).toEqual({
      ...session(),
      cookie: { originalMaxAge: null, path: '/' },
    });
  });

  it('shows nothing of what it held', async () => {
    await server.client.set('sess:s1', '{"CANARY', 'PX', 60_000);
    await open().get('s1');
    expect(JSON.stringify(events)).not.toContain('CANARY');
  });
});

describe('touching a session', () => {
  it('[C05] gives it the whole idle time again', async () => {
    const { set, touch } = open();
    await set('s1', session());
    await server.client.pexpire('sess:s1', 5_000);
    await touch('s1', session());
    await touched();
    expect(await leftS()).toBeGreaterThan(idleMs / 1000 - 10);
  });

  it('happens at most once a minute and session', async () => {
    const { touch } = open();
    const counts: number[] = [];
    for (const passMs of [0, 1, 59_998, 1, 59_999, 1]) {
      passedMs += passMs;
      await touch('s1', session());
      counts.push(touches);
    }
    expect(counts).toEqual([1, 1, 1, 2, 2, 3]);
    await touch('s2', session());
    expect(touches).toBe(4);
  });

  it('happens more often when the idle time is short', async () => {
    const { touch } = open({ idle: 40_000 });
    for (const passMs of [0, 9_999, 1, 10_000]) {
      passedMs += passMs;
      await touch('s1', session());
    }
    expect(touches).toBe(3);
  });

  it('brings nothing back to life', async () => {
    const { touch } = open();
    await touch('s1', session());
    await touched();
    expect(await server.client.exists('sess:s1')).toBe(0);
  });

  it('that fails is an event and no error', async () => {
    const { set, touch } = open();
    await set('s1', session());
    await server.client.config('SET', 'min-replicas-to-write', '1');
    try {
      await expect(touch('s1', session())).resolves.toBeUndefined();
      await until('an event has come', () => events.length > 0);
    } finally {
      await server.client.config('SET', 'min-replicas-to-write', '0');
    }
    expect(events).toEqual([{ type: 'session_touch_failed' }]);
  });

  it('does not wait for a Redis that does not answer', async () => {
    const { touch } = open();
    server.pause();
    try {
      await expect(touch('s1', session())).resolves.toBeUndefined();
    } finally {
      server.resume();
    }
  });
});

describe('clocks', () => {
  it('that are set back by an hour sign nobody out who goes on', async () => {
    const { set, touch, get } = open();
    await set('s1', session());
    await touch('s1', session());
    await touched();
    nowMs -= 3_600_000;
    for (let minutes = 1; minutes <= 60; minutes += 1) {
      await passTime(server, 60_000);
      passedMs += 60_000;
      await touch('s1', (await get('s1')) as SessionData);
      await lastTouch;
    }
    expect(await get('s1')).not.toBeNull();
  });

  it('of two processes that are ten minutes apart sign nobody out', async () => {
    const { set, get } = open();
    nowMs += 600_000;
    await set('s1', session());
    nowMs -= 600_000;
    expect(await get('s1')).not.toBeNull();
    expect(events).toEqual([]);
  });

  it.each([-30, -2, 2, 30])(
    'that are wrong by %d days delete no session of another process',
    async (days) => {
      const { set, get } = open();
      await set('s1', session());
      nowMs += days * 86_400_000;
      await get('s1');
      nowMs -= days * 86_400_000;
      expect(await get('s1')).toMatchObject({ csrfSecret: 'secret' });
      expect(reports()).toEqual([]);
    },
  );

  it('do not end a session before its idle time, whenever it was last touched', async () => {
    const { set, touch, get } = open();
    await set('s1', session());
    await touch('s1', session());
    await touched();
    passedMs += 59_999;
    await touch('s1', session()); // not due
    await passTime(server, 59_999 + idleMs - 1_000);
    expect(await get('s1')).not.toBeNull();
    await passTime(server, 61_001);
    expect(await get('s1')).toBeNull();
  });
});

describe('renewing the idle time of a session', () => {
  it('gives it what it says, to the second', async () => {
    const { store, set, touch } = open();
    await set('s1', session());
    await server.client.pexpire('sess:s1', 5_000);
    await touch('s1', session()); // as `readSession` does at the start of the request
    const { leftMs } = await store.renewIdleTime('s1', session());
    expect(leftMs).toBeGreaterThan(idleMs - 1_000);
    expect(Math.abs((await server.client.pttl('sess:s1')) - leftMs)).toBeLessThan(1_000);
    await touch('s1', session());
    await lastTouch;
    expect(await server.client.pttl('sess:s1')).toBeGreaterThan(idleMs + 50_000);
  });

  it('says what is left where it cannot be given more', async () => {
    const { store, set } = open();
    await set('s1', session());
    await server.client.pexpire('sess:s1', 5_000);
    await server.client.config('SET', 'min-replicas-to-write', '1');
    try {
      expect((await store.renewIdleTime('s1', session())).leftMs).toBeLessThanOrEqual(5_000);
    } finally {
      await server.client.config('SET', 'min-replicas-to-write', '0');
    }
    expect(events).toEqual([{ type: 'session_touch_failed' }]);
  });
});

describe('a storage that fails', () => {
  it('[C10] is an error, and never a missing session', async () => {
    const away = () => Promise.reject(new StorageError('away'));
    const { get, set, destroy } = open({
      keyValue: { ...storage.keyValue, get: away, set: away, delete: away },
    });
    await expect(get('s1')).rejects.toBeInstanceOf(StorageError);
    await expect(set('s1', session())).rejects.toBeInstanceOf(StorageError);
    await expect(destroy('s1')).rejects.toBeInstanceOf(StorageError);
    expect(events).toEqual([]);
  });

  it('[C11] while a broken record is removed leaves it at no session', async () => {
    await server.client.set('sess:s1', '{garbage', 'PX', 60_000);
    const away = () => Promise.reject(new StorageError('away'));
    const { get } = open({ keyValue: { ...storage.keyValue, delete: away } });
    expect(await get('s1')).toBeNull();
    expect(reports()).toMatchObject([{ type: 'session_broken' }]);
  });
});
