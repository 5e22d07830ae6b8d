import type { KeyValue } from '../../src/core/storage/key-value.js';
import { createTokenCache } from '../../src/core/tokens/token-cache.js';
import { boundedMap } from '../../src/limits/bounded-map.js';
import { RecordError, StorageError, UnavailableError } from '../../src/errors.js';
import { hooked, setUp } from './setup.js';

const HOUR_MS = 3_600_000;
const FOR_EVER = { ttlMs: Infinity };

/** Somebody signed in an hour ago, so the next call renews. */
async function expired(options: Parameters<typeof setUp>[0] = {}) {
  const bench = setUp(options);
  const tokens = bench.startProcess();
  await bench.signIn(tokens);
  await bench.clock.advance(HOUR_MS);
  return { ...bench, tokens };
}

describe('a value in the storage that is not ours', () => {
  it.each([
    ['a pause', 'backoff:g1', 'null'],
    ['a pause', 'backoff:g1', '{}'],
    ['a pause', 'backoff:g1', 'text'],
    ['a pause', 'backoff:g1', '{"code":"x","status":200}'],
    ['a pause', 'backoff:g1', '{"code":"x","status":1e999}'],
    ['a pause', 'backoff:g1', '{"code":"token_endpoint_busy","status":503}'],
    ['an attempt', 'attempt:g1', 'null'],
    ['a count of one grant', 'rate:refresh:g1', 'text'],
    ['a count of one grant', 'rate:refresh:g1', '61'],
    ['a count of all', 'rate:refresh', '999999'],
    ['a lease', 'lease:g1', 'a process that is long gone'],
  ])(
    'instead of %s (%s = %s, without end) counts as absent and is replaced',
    async (_name, key, value) => {
      const { store, clock, tokens, server, events } = await expired();
      await store.set(key, value, FOR_EVER);
      const { value: tokenSet, error } = await clock.passesUntil(tokens.fresh('g1'));
      expect([error, tokenSet?.accessToken, server.spent]).toEqual([undefined, 'at-1', ['rt-0']]);
      expect(events.filter(({ type }) => type === 'record_replaced')).toHaveLength(1);
      expect((await store.getWithTtl(key))?.ttlMs ?? 0).toBeLessThan(HOUR_MS);
    },
  );

  it.each([
    'null',
    '[]',
    '{"accessToken":7}',
    '{"accessToken":"a","scopes":[1],"issuedAtMs":1,"expiresAtMs":1e999}',
  ])(
    'instead of a token record (%s, validly encrypted) ends the session, and is no error of ours',
    async (text) => {
      const { store, startProcess, eventTypes, sealed } = await expired();
      await store.set('grant:g1', sealed(text, 'g1'), { ttlMs: HOUR_MS });
      await expect(startProcess().fresh('g1')).rejects.toMatchObject({ code: 'grant_ended' });
      expect(await store.get('grant:g1')).toBeUndefined();
      expect(eventTypes()).toContain('session_ended');
    },
  );
});

describe('clocks that differ', () => {
  const MINUTE_MS = 60_000;

  it.each([-600_000, 600_000, HOUR_MS])(
    'by %s ms: another process neither renews early nor uses an ended token',
    async (offMs) => {
      const { clock, signIn, startProcess, server } = setUp();
      await signIn(startProcess());
      const other = startProcess({ clockErrorMs: offMs });
      await clock.advance(HOUR_MS - 5 * MINUTE_MS);
      expect((await other.fresh('g1')).accessToken).toBe('at-0');
      await other.idle();
      expect(server.spent).toEqual([]);
      await clock.advance(5 * MINUTE_MS);
      expect((await clock.passesUntil(other.fresh('g1'))).value?.accessToken).toBe('at-1');
      expect((await startProcess().fresh('g1')).accessToken).toBe('at-1');
      expect(server.spent).toEqual(['rt-0']);
    },
  );

  it.each([-600_000, 600_000])(
    'by %s ms: a pause lasts as long as the server said',
    async (offMs) => {
      const { clock, server, tokens, startProcess } = await expired();
      server.respond = async () => {
        throw new UnavailableError('busy', {
          code: 'token_endpoint_busy',
          status: 502,
          retryAfterS: 3,
        });
      };
      await clock.passesUntil(tokens.fresh('g1'));
      const other = startProcess({ clockErrorMs: offMs });
      const { error } = await clock.passesUntil(other.fresh('g1'));
      expect(error).toMatchObject({ status: 503, retryAfterS: 3 });
      await clock.advance(3_000);
      server.respond = async () => server.rotated();
      expect((await clock.passesUntil(other.fresh('g1'))).value?.accessToken).toBe('at-2');
    },
  );

  it.each([-600_000, 600_000])('by %s ms: the margin begins when it should', async (offMs) => {
    const { clock, signIn, startProcess, server } = setUp({ lifetimeS: 120 }); // a margin of 30 s
    await signIn(startProcess());
    const other = startProcess({ clockErrorMs: offMs });
    for (const [afterMs, spent] of [
      [80_000, []],
      [15_000, ['rt-0']],
    ] as const) {
      await clock.advance(afterMs);
      await other.fresh('g1');
      await other.idle();
      expect(server.spent).toEqual(spent);
    }
  });

  it('is not what a storage shows that takes its time to respond', async () => {
    const { clock, store, signIn, startProcess, server } = setUp();
    const slow: KeyValue = {
      ...store,
      async getWithTtl(key) {
        const found = await store.getWithTtl(key);
        await clock.sleep(1_500);
        return found;
      },
    };
    await signIn(startProcess());
    await clock.advance(HOUR_MS - 1_000);
    await clock.passesUntil(startProcess({ keyValue: slow }).fresh('g1'));
    expect(server.spent).toEqual(['rt-0']); // it has ended meanwhile
  });

  it('is not what a record without an end shows', async () => {
    const { clock, store, signIn, startProcess, server } = setUp();
    const endless: KeyValue = {
      ...store,
      async getWithTtl(key) {
        const found = await store.getWithTtl(key);
        return found && { ...found, ttlMs: key.startsWith('grant:') ? Infinity : found.ttlMs };
      },
    };
    await signIn(startProcess());
    await clock.advance(HOUR_MS);
    await startProcess({ keyValue: endless }).fresh('g1');
    expect(server.spent).toEqual(['rt-0']);
  });
});

describe('more renewals than are allowed', () => {
  it('are an event with what to say and when to come back, and nothing is spent', async () => {
    const { clock, tokens, signIn, server, events } = await expired({ renewalsPerMinute: 1 });
    await signIn(tokens, 'g2', { expires_in: 1 });
    await clock.passesUntil(tokens.fresh('g1'));
    await clock.advance(2_000);
    const { error } = await clock.passesUntil(tokens.fresh('g2'));
    expect(error).toMatchObject({ code: 'refresh_rate_limited', status: 503, retryAfterS: 58 });
    expect(server.spent).toEqual(['rt-0']);
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'refresh_failed',
        outcome: 'limited',
        reason: 'refresh_rate_limited',
      }),
    );
  });
});

describe('more than 60 renewals of one grant in a minute', () => {
  it('are refused, and those of other grants go on', async () => {
    const { tokens, clock, signIn, server } = await expired();
    const renew = async (grantId: string) =>
      await tokens.renew(grantId, (await tokens.fresh(grantId)).accessToken);
    await tokens.fresh('g1');
    for (let renewal = 2; renewal <= 60; renewal++) await renew('g1');
    await expect(renew('g1')).rejects.toMatchObject({ code: 'refresh_rate_limited', status: 503 });
    expect(server.spent).toHaveLength(60);
    await signIn(tokens, 'g2');
    await renew('g2');
    await clock.advance(60_000);
    await renew('g1');
    expect(server.spent).toHaveLength(62);
  });
});

describe('a token record that is not ours', () => {
  it.each(['compareAndDelete', 'delete'])(
    'and that the storage does not remove (%s) is 503: the session has not ended',
    async (removal) => {
      const { store, startProcess, eventTypes } = await expired();
      await store.set('grant:g1', 'text', { ttlMs: HOUR_MS });
      const keyValue = hooked(store, (command) => {
        if (command === removal) throw new StorageError('away');
        if (command === 'getWithTtl' && removal === 'delete') throw new RecordError('broken');
      });
      const tokens = startProcess({ keyValue });
      await expect(tokens.fresh('g1')).rejects.toBeInstanceOf(StorageError);
      expect(eventTypes()).not.toContain('session_ended');
    },
  );
});

describe('the memory of a process', () => {
  const tokenSet = {
    accessToken: 'at',
    refreshToken: 'rt',
    scopes: [],
    issuedAtMs: 0,
    expiresAtMs: 1,
    renewals: 0,
  };

  describe('as time goes by', () => {
    beforeEach(() => jest.useFakeTimers());
    afterEach(() => jest.useRealTimers());
    const MINUTE_MS = 60_000;

    it('forgets the tokens of a grant that nobody used lately, and keeps those in use', () => {
      const cache = createTokenCache({ now: () => 0 });
      cache.set('left', tokenSet);
      cache.set('used', tokenSet);
      for (let minute = 1; minute <= 20; minute++) {
        jest.advanceTimersByTime(MINUTE_MS);
        cache.get('used');
      }
      expect([cache.get('left'), cache.get('used')]).toEqual([undefined, tokenSet]);
    });

    it('forgets them also when nobody calls, and then has nothing more to do', () => {
      const cache = createTokenCache({ now: () => 0 });
      cache.set('left', tokenSet);
      jest.advanceTimersByTime(16 * MINUTE_MS);
      expect([cache.get('left'), jest.getTimerCount()]).toEqual([undefined, 0]);
    });

    it('has nothing more of a grant that has ended, whether or not it was used lately', () => {
      const cache = createTokenCache({ now: () => 0 });
      cache.set('idle', tokenSet);
      jest.advanceTimersByTime(10 * MINUTE_MS);
      cache.set('used', tokenSet);
      for (const grant of ['idle', 'used']) cache.delete(grant);
      expect([cache.get('idle'), cache.get('used')]).toEqual([undefined, undefined]);
    });
  });

  it('holds the tokens of ten thousand grants at most, the latest', () => {
    const cache = createTokenCache({ now: () => 0 });
    for (let index = 0; index < 14_999; index++) cache.set(`g${index}`, tokenSet);
    const held = ['g0', 'g14998', 'g5000'].map((grant) => cache.get(grant) !== undefined);
    expect(held).toEqual([false, true, true]);
  });

  it('takes the tokens of a record that began anew, once those it has are over, and no older ones before', () => {
    let nowMs = 0;
    const known = { ...tokenSet, renewals: 5, expiresAtMs: 1_000 };
    const anew = { ...tokenSet, renewals: 1, expiresAtMs: 9_000 };
    const cache = createTokenCache({ now: () => nowMs });
    cache.set('app', known);
    cache.set('app', anew);
    expect(cache.get('app')).toBe(known);
    nowMs = 1_000;
    cache.set('app', anew);
    expect(cache.get('app')).toBe(anew);
  });

  it('is bounded in number and age, also by a clock that is set back', () => {
    let nowMs = HOUR_MS;
    const map = boundedMap<number>({ max: 2, maxAgeMs: 1_000, now: () => nowMs });
    for (const [index, key] of ['a', 'b', 'c'].entries()) map.set(key, index);
    expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([undefined, 1, 2, 2]);
    nowMs = 0;
    expect([map.get('c'), map.size]).toEqual([undefined, 0]);
  });

  it('is bounded in number without an age, by what was set longest ago, and keeps what is touched', () => {
    const numbered = boundedMap<number>({ max: 2 });
    for (const key of ['a', 'b', 'a', 'c']) numbered.set(key, 1);
    expect(numbered.keys()).toEqual(['a', 'c']);

    let nowMs = 0;
    const aged = boundedMap<number>({ max: 9, maxAgeMs: 1_000, now: () => nowMs });
    for (const key of ['never', 'early', 'late']) aged.set(key, 1);
    nowMs = 99; // touched at most ten times in its age
    expect([aged.touch('early'), aged.touch('missing')]).toEqual([1, undefined]);
    nowMs = 100;
    expect(aged.touch('late')).toBe(1);
    nowMs = 1_000;
    expect(aged.keys()).toEqual(['late']);
  });

  it('says how many renewed tokens wait for the storage', async () => {
    const { store, clock, startProcess } = await expired();
    let down = false;
    const compareAndSet: KeyValue['compareAndSet'] = async (...args) => {
      if (down) throw new StorageError('away');
      return await store.compareAndSet(...args);
    };
    const tokens = startProcess({ keyValue: { ...store, compareAndSet } });
    down = true;
    await clock.passesUntil(tokens.fresh('g1'));
    expect(tokens.pendingWrites()).toBe(1);
    down = false;
    await clock.advance(1_000);
    expect(tokens.pendingWrites()).toBe(0);
  });
});
