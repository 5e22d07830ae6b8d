/// <reference types="jest" />
import { GrantEndedError, StorageError, UnavailableError } from '../../src/errors.js';
import type { TokenManager } from '../../src/core/tokens/token-manager.js';
import { createGate } from './clock.js';
import { accessTokens, failing, hooked, setUp, TIMEOUT_MS } from './setup.js';

const HOUR_MS = 3_600_000;
const busy = (retryAfterS?: number): UnavailableError =>
  new UnavailableError('busy', { status: 502, ...(retryAfterS !== undefined && { retryAfterS }) });

/** Signed in, in one process. */
async function signedIn(options: Parameters<typeof setUp>[0] = {}) {
  const bench = setUp(options);
  const tokens = bench.startProcess();
  await bench.signIn(tokens);
  return { ...bench, tokens };
}

const five = (tokens: TokenManager) =>
  Promise.all(Array.from({ length: 5 }, () => tokens.fresh('g1')));

describe('a token far from expiry', () => {
  it('is given out without asking storage or server', async () => {
    const { store, server, signIn, startProcess } = setUp();
    let commands = 0;
    const tokens = startProcess({ keyValue: hooked(store, () => commands++) });
    await signIn(tokens);
    commands = 0;
    for (const tokenSet of await five(tokens)) expect(tokenSet.accessToken).toBe('at-0');
    expect([commands, server.spent]).toEqual([0, []]);
  });
});

describe('an expired token', () => {
  it('[immunity 1] is renewed once when five callers arrive together, and again at its next expiry', async () => {
    const { tokens, clock, server } = await signedIn();
    await clock.advance(HOUR_MS);
    expect(accessTokens(await five(tokens))).toEqual(Array(5).fill('at-1'));
    await clock.advance(HOUR_MS);
    expect(accessTokens(await five(tokens))).toEqual(Array(5).fill('at-2'));
    expect(server.spent).toEqual(['rt-0', 'rt-1']);
  });

  it('[immunity 2] is renewed once when five callers arrive in each of three processes', async () => {
    const { tokens, clock, server, startProcess } = await signedIn();
    await clock.advance(HOUR_MS);
    server.respond = async () => clock.sleep(2_000).then(server.rotated);
    const calls = [tokens, startProcess(), startProcess()].map(five);
    const { value } = await clock.passesUntil(Promise.all(calls));
    expect(accessTokens(value?.flat() ?? [])).toEqual(Array(15).fill('at-1'));
    expect(server.spent).toEqual(['rt-0']);
  });

  it('[immunity 4] is not renewed again by a caller that had read the record before somebody else renewed it', async () => {
    const { tokens, clock, store, server, startProcess } = await signedIn();
    const gate = createGate();
    const slow = startProcess({
      keyValue: hooked(store, (command) => (command === 'setIfAbsent' ? gate.passed : undefined)),
    });
    await clock.advance(HOUR_MS);
    const late = slow.fresh('g1');
    await tokens.fresh('g1');
    await clock.advance(40);
    gate.open();
    expect((await late).accessToken).toBe('at-1');
    expect(server.spent).toEqual(['rt-0']);
  });

  it('[immunity 20] is renewed and stored although the request that started it has gone', async () => {
    const { tokens, clock, server, startProcess } = await signedIn();
    await clock.advance(HOUR_MS);
    server.respond = async () => clock.sleep(500).then(server.rotated);
    void tokens.fresh('g1'); // and nobody waits for it
    await clock.advance(1_000);
    expect((await startProcess().fresh('g1')).accessToken).toBe('at-1');
    expect(server.spent).toEqual(['rt-0']);
  });

  it('[immunity 25] never goes to another grant, whatever the order of their steps', async () => {
    const { tokens, clock, signIn, server, startProcess, store } = await signedIn();
    const grants = ['g1', 'g2', 'g3'];
    for (const grantId of grants) await signIn(tokens, grantId, { access_token: `at.${grantId}`, refresh_token: `rt.${grantId}` }); // prettier-ignore
    let commands = 0;
    const shuffling = hooked(store, () => clock.sleep((commands++ * 7) % 40));
    server.respond = async (refreshToken) => {
      await clock.sleep((commands++ * 13) % 100);
      const grantId = refreshToken.split('.')[1] ?? '';
      return {
        access_token: `new.${grantId}`,
        refresh_token: `${refreshToken}.next`,
        expires_in: 3_600,
      };
    };
    await clock.advance(HOUR_MS);
    const processes = [
      startProcess({ keyValue: shuffling }),
      startProcess({ keyValue: shuffling }),
    ];
    const calls = processes.flatMap((process) =>
      [...grants, ...grants].map(async (grantId) => [
        grantId,
        (await process.fresh(grantId)).accessToken,
      ]),
    );
    const { value } = await clock.passesUntil(Promise.all(calls));
    expect(value).toEqual(
      [...grants, ...grants, ...grants, ...grants].map((grantId) => [grantId, `new.${grantId}`]),
    );
    for (const process of processes)
      for (const grantId of grants)
        // now from memory
        expect((await process.fresh(grantId)).accessToken).toBe(`new.${grantId}`);
    expect(server.spent.sort()).toEqual(['rt.g1', 'rt.g2', 'rt.g3']);
  });

  it('ends the grant when there is no refresh token to renew it with', async () => {
    const { clock, signIn, startProcess, onRecord, events } = setUp();
    const tokens = startProcess();
    await signIn(tokens, 'g1', { refresh_token: undefined });
    await clock.advance(HOUR_MS);
    await expect(tokens.fresh('g1')).rejects.toBeInstanceOf(GrantEndedError);
    expect(await onRecord()).toBeUndefined();
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'session_ended', reason: 'no_refresh_token' }),
    );
  });
});

describe('in the margin before expiry', () => {
  it('a token that cannot be renewed is used to its end', async () => {
    const { clock, signIn, startProcess, eventTypes } = setUp();
    const tokens = startProcess();
    await signIn(tokens, 'g1', { refresh_token: undefined });
    await clock.advance(HOUR_MS - 30_000);
    expect((await tokens.fresh('g1')).accessToken).toBe('at-0');
    await clock.advance(29_000);
    expect((await tokens.fresh('g1')).accessToken).toBe('at-0');
    expect(eventTypes()).not.toContain('session_ended');
  });

  it('nobody waits: all get the old token at once, and one renewal runs behind them', async () => {
    const { tokens, clock, server, startProcess, eventTypes } = await signedIn();
    await clock.advance(HOUR_MS - 30_000);
    const gate = createGate();
    server.respond = async () => gate.passed.then(server.rotated);
    const other = startProcess();
    for (const tokenSet of [...(await five(tokens)), ...(await five(other))])
      expect(tokenSet.accessToken).toBe('at-0');
    await clock.advance(100);
    expect(accessTokens(await five(tokens))).toEqual(Array(5).fill('at-0'));
    gate.open();
    await clock.advance(300);
    expect(accessTokens([...(await five(tokens)), ...(await five(other))])).toEqual(
      Array(10).fill('at-1'),
    );
    expect(server.spent).toEqual(['rt-0']);
    expect(eventTypes()).not.toContain('refresh_waited');
  });

  it('[immunity 21] the margin is at most a quarter of the lifetime: a 30-second token is renewed once per lifetime', async () => {
    const { tokens, clock, server } = await signedIn({ lifetimeS: 30, marginS: 60 });
    for (let second = 0; second < 300; second++) {
      await tokens.fresh('g1');
      await clock.advance(1_000);
    }
    // every 22.5 s: 30 s less a quarter
    expect(server.spent.length).toBe(Math.floor(300 / 23));
  });
});

describe('the answer of the token endpoint', () => {
  it('[immunity 21] keeps the old refresh token when it carries none', async () => {
    const { tokens, clock, server } = await signedIn();
    server.respond = async () => Promise.resolve({ access_token: 'at-new', expires_in: 3_600 });
    for (let renewal = 0; renewal < 2; renewal++) {
      await clock.advance(HOUR_MS);
      expect(await tokens.fresh('g1')).toMatchObject({
        accessToken: 'at-new',
        refreshToken: 'rt-0',
      });
    }
    expect(server.spent).toEqual(['rt-0', 'rt-0']);
  });

  it('[immunity 21] counts as good for an hour when it does not say how long', async () => {
    const { tokens, clock, server } = await signedIn();
    server.respond = async () =>
      Promise.resolve({ access_token: 'at-new', refresh_token: 'rt-new' });
    await clock.advance(HOUR_MS);
    const { issuedAtMs, expiresAtMs } = await tokens.fresh('g1');
    expect(expiresAtMs - issuedAtMs).toBe(HOUR_MS);
    await clock.advance(HOUR_MS - 61_000);
    await tokens.fresh('g1');
    expect(server.spent.length).toBe(1);
  });

  it('counts the lifetime from when the request was sent, not from when the answer came', async () => {
    const { tokens, clock, server } = await signedIn();
    await clock.advance(HOUR_MS);
    const sentAtMs = clock.now();
    server.respond = async () => clock.sleep(8_000).then(server.rotated);
    const { value } = await clock.passesUntil(tokens.fresh('g1'));
    expect(value?.expiresAtMs).toBe(sentAtMs + HOUR_MS);
  });

  it.each([0, -1, 1e12])(
    '[immunity 21] with "expires_in" %d is not stored, and not asked for again at once',
    async (expires_in) => {
      const { tokens, clock, server, onRecord } = await signedIn();
      const before = await onRecord();
      server.respond = async () =>
        Promise.resolve({ access_token: 'at-new', refresh_token: 'rt-new', expires_in });
      await clock.advance(HOUR_MS);
      await expect(tokens.fresh('g1')).rejects.toMatchObject({
        code: 'token_answer_unusable',
        status: 503,
      });
      await expect(tokens.fresh('g1')).rejects.toBeInstanceOf(UnavailableError);
      expect([server.spent.length, await onRecord()]).toEqual([1, before]);
    },
  );
});

describe('a 401 of the API', () => {
  it('is answered with the newer token on record, without a renewal', async () => {
    const { tokens, clock, server, startProcess } = await signedIn();
    const other = startProcess();
    await other.fresh('g1');
    await clock.advance(HOUR_MS - 30_000);
    await tokens.fresh('g1');
    await clock.advance(100);
    expect((await other.renew('g1', 'at-0')).accessToken).toBe('at-1');
    expect(server.spent).toEqual(['rt-0']);
  });

  it('is answered with one renewal when the record still holds the rejected token', async () => {
    const { tokens, clock, server, startProcess } = await signedIn();
    server.respond = async () => clock.sleep(300).then(server.rotated);
    const calls = [tokens, tokens, startProcess()].map((process) => process.renew('g1', 'at-0'));
    const { value } = await clock.passesUntil(Promise.all(calls));
    expect(accessTokens(value ?? [])).toEqual(['at-1', 'at-1', 'at-1']);
    expect(server.spent).toEqual(['rt-0']);
  });

  it('is answered with one renewal by a server that gives the same access token again', async () => {
    const { server, tokens } = await signedIn();
    server.respond = () => Promise.resolve({ ...server.rotated(), access_token: 'at-0' });
    const calls = Array.from({ length: 3 }, () => tokens.renew('g1', 'at-0'));
    expect(accessTokens(await Promise.all(calls))).toEqual(Array(3).fill('at-0'));
    expect(server.spent).toEqual(['rt-0']);
  });
});

describe('when renewals fail', () => {
  it('[immunity 18] a token endpoint that is down costs nobody the sign-in: calls go on until expiry, then 503, then on', async () => {
    const { tokens, clock, server, onRecord } = await signedIn();
    const before = await onRecord();
    server.respond = async () => Promise.reject(busy());
    await clock.advance(HOUR_MS - 60_000);
    for (let second = 0; second < 60; second++) {
      expect((await tokens.fresh('g1')).accessToken).toBe('at-0');
      await clock.advance(1_000);
    }
    await expect(tokens.fresh('g1')).rejects.toMatchObject({
      status: 503,
      retryAfterS: expect.any(Number) as number,
    });
    expect(await onRecord()).toBe(before);
    server.respond = async () => Promise.resolve(server.rotated());
    await clock.advance(5_000);
    expect((await tokens.fresh('g1')).accessToken).toMatch(/^at-/);
  });

  it('[J02] 50 calls in 10 seconds make at most 3 token calls', async () => {
    const { tokens, clock, server, startProcess } = await signedIn();
    server.respond = async () => Promise.reject(busy());
    await clock.advance(HOUR_MS);
    const processes = [tokens, startProcess()];
    for (let call = 0; call < 50; call++) {
      await expect(processes[call % 2]?.fresh('g1')).rejects.toMatchObject({ status: 503 });
      await clock.advance(200);
    }
    expect(server.spent.length).toBeLessThanOrEqual(3);
  });

  it('"Retry-After" is obeyed, in every process, and said to the caller', async () => {
    const { tokens, clock, server, startProcess } = await signedIn();
    server.respond = async () => Promise.reject(busy(42));
    await clock.advance(HOUR_MS);
    await expect(tokens.fresh('g1')).rejects.toMatchObject({ retryAfterS: 42 });
    await clock.advance(20_000);
    await expect(startProcess().fresh('g1')).rejects.toMatchObject({ retryAfterS: 22 });
    await clock.advance(21_000);
    await expect(tokens.fresh('g1')).rejects.toMatchObject({ retryAfterS: 1 });
    expect(server.spent.length).toBe(1);
    await clock.advance(1_000);
    await tokens.fresh('g1').catch(() => undefined);
    expect(server.spent.length).toBe(2);
  });

  it('[immunity 22] a token endpoint that never answers keeps nobody longer than its deadline, and frees the lease', async () => {
    const { tokens, clock, server, startProcess } = await signedIn();
    await clock.advance(HOUR_MS);
    server.respond = async () =>
      clock
        .sleep(TIMEOUT_MS)
        .then(() => Promise.reject(new UnavailableError('too late', { status: 504 })));
    const calls = [tokens, tokens, startProcess()].map((process) => process.fresh('g1'));
    const { value, tookMs } = await clock.passesUntil(Promise.allSettled(calls));
    for (const answer of value ?? [])
      expect(answer).toMatchObject({ reason: { name: 'UnavailableError', status: 503 } });
    expect(tookMs).toBeLessThan(TIMEOUT_MS + 500);
    server.respond = async () => Promise.resolve(server.rotated());
    await clock.advance(5_000);
    expect((await startProcess().fresh('g1')).accessToken).toBe('at-2');
  });

  it('a holder that died in mid-renewal is waited for until its lease ends, and then replaced', async () => {
    const { tokens, clock, server, startProcess } = await signedIn();
    await clock.advance(HOUR_MS);
    server.respond = () => new Promise(() => undefined);
    void startProcess().fresh('g1');
    await clock.advance(0);
    server.respond = async () => Promise.resolve(server.rotated());
    const { value, tookMs } = await clock.passesUntil(tokens.fresh('g1'));
    expect(value?.accessToken).toBe('at-2');
    expect(tookMs).toBeLessThan(TIMEOUT_MS + 3_500);
  });

  it('[immunity 5] the lease command alone failing: a valid token goes on, an expired one is 503, nothing is deleted', async () => {
    const { store, clock, server, signIn, startProcess, onRecord } = setUp();
    const storage = failing(
      store,
      (command, key) => command === 'setIfAbsent' && key.startsWith('lease:'),
    );
    const tokens = startProcess({ keyValue: storage.keyValue });
    await signIn(tokens);
    const before = await onRecord();
    storage.down = true;
    await clock.advance(HOUR_MS - 30_000);
    expect((await tokens.fresh('g1')).accessToken).toBe('at-0');
    await clock.advance(30_000);
    await expect(tokens.fresh('g1')).rejects.toMatchObject({ status: 503, retryAfterS: 1 });
    expect([server.spent, await onRecord()]).toEqual([[], before]);
    storage.down = false;
    expect((await tokens.fresh('g1')).accessToken).toBe('at-1');
  });

  it('a lease that never becomes free is waited for until the deadline, no longer', async () => {
    const { tokens, clock, store, server } = await signedIn();
    await clock.advance(HOUR_MS);
    await store.set('lease:g1', 'somebody who hangs', { ttlMs: HOUR_MS });
    const { error, tookMs } = await clock.passesUntil(tokens.fresh('g1'));
    expect(error).toMatchObject({ code: 'renewal_not_finished', status: 503, retryAfterS: 1 });
    expect(tookMs).toBeLessThan(TIMEOUT_MS + 3_500);
    expect(server.spent).toEqual([]);
  });

  it('a lease command that was carried out although its answer was lost keeps nobody out', async () => {
    const { store, clock, startProcess } = await signedIn();
    let lost = false;
    const losing = {
      ...store,
      async setIfAbsent(key: string, value: string, options: { ttlMs: number }) {
        const present = await store.setIfAbsent(key, value, options);
        if (lost) return present;
        lost = true;
        throw new StorageError('cut');
      },
    };
    const tokens = startProcess({ keyValue: losing });
    await clock.advance(HOUR_MS);
    await expect(tokens.fresh('g1')).rejects.toBeInstanceOf(StorageError);
    const { value, tookMs } = await clock.passesUntil(tokens.fresh('g1'));
    expect([value?.accessToken, tookMs]).toEqual(['at-1', 0]);
  });

  it('a lease command that the client sent twice is recognised as its own', async () => {
    const { store, clock, startProcess } = await signedIn();
    const resending = {
      ...store,
      async setIfAbsent(key: string, value: string, options: { ttlMs: number }) {
        await store.setIfAbsent(key, value, options);
        return await store.setIfAbsent(key, value, options);
      },
    };
    await clock.advance(HOUR_MS);
    const { value, tookMs } = await clock.passesUntil(
      startProcess({ keyValue: resending }).fresh('g1'),
    );
    expect([value?.accessToken, tookMs]).toEqual(['at-1', 0]);
  });

  it('a read that fails late falls back on what the process has received meanwhile', async () => {
    const { store, clock, signIn, startProcess } = setUp();
    const gate = createGate();
    let slow = false;
    const tokens = startProcess({
      keyValue: hooked(store, async (command) => {
        if (!slow || command !== 'getWithTtl') return;
        slow = false;
        await gate.passed;
        throw new StorageError('cut');
      }),
    });
    await signIn(tokens);
    await clock.advance(HOUR_MS - 1_000);
    slow = true;
    const late = tokens.fresh('g1');
    await clock.advance(0);
    await tokens.fresh('g1');
    await clock.advance(2_000);
    gate.open();
    expect((await late).accessToken).toBe('at-1');
  });

  it('a storage that is down altogether does not take a valid token away', async () => {
    const { store, clock, signIn, startProcess } = setUp();
    const storage = failing(store, () => true);
    const tokens = startProcess({ keyValue: storage.keyValue });
    await signIn(tokens);
    storage.down = true;
    await clock.advance(HOUR_MS - 30_000);
    expect((await tokens.fresh('g1')).accessToken).toBe('at-0');
    await clock.advance(30_000);
    await expect(tokens.fresh('g1')).rejects.toBeInstanceOf(StorageError);
  });

  it('a record written with an unknown key is 503 and left alone', async () => {
    const { store, events, startProcess, onRecord, tokens } = await signedIn();
    const before = await onRecord();
    const other = startProcess({ keyValue: store, keys: [Buffer.alloc(32, 9)] });
    await expect(other.fresh('g1')).rejects.toMatchObject({
      code: 'record_key_missing',
      status: 503,
    });
    await expect(other.holds('g1')).rejects.toMatchObject({ status: 503 });
    expect(events).toContainEqual(expect.objectContaining({ type: 'key_missing' }));
    expect(await onRecord()).toBe(before);
    expect((await tokens.fresh('g1')).accessToken).toBe('at-0');
  });
});
