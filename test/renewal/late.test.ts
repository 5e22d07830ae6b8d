/// <reference types="jest" />
import {
  GrantEndedError,
  GrantRefusedError,
  MisconfiguredError,
  StorageError,
  UnavailableError,
} from '../../src/errors.js';
import { createTokenCache } from '../../src/core/tokens/token-cache.js';
import type { TokenManager } from '../../src/core/tokens/token-manager.js';
import { createGate } from './clock.js';
import { failing, hooked, setUp, TIMEOUT_MS } from './setup.js';

const HOUR_MS = 3_600_000;
const LEASE_MS = TIMEOUT_MS + 3_000;
const UNSUPPORTED = 'unsupported_token_type';
const cut = new UnavailableError('cut', { status: 502 });

async function expired(options: Parameters<typeof setUp>[0] = {}) {
  const bench = setUp(options);
  const tokens = bench.startProcess();
  await bench.signIn(tokens);
  await bench.clock.advance(HOUR_MS);
  const reasons = (): string[] =>
    bench.events.flatMap((event) => (event.type === 'session_ended' ? [event.reason] : []));
  return { ...bench, tokens, reasons };
}

describe('a holder that comes back after its lease has ended', () => {
  /** `keep` mode: the refresh token stays good, so that two calls with it do no harm by themselves. */
  async function overrun(end: 'answered' | 'refused') {
    const bench = await expired();
    const { clock, server, startProcess, store } = bench;
    const gate = createGate();
    server.respond = async () => {
      await gate.passed;
      if (end === 'refused') throw new GrantRefusedError('invalid_grant');
      return { access_token: 'at-late', refresh_token: 'rt-0', expires_in: 3_600 };
    };
    const late = bench.tokens.fresh('g1').then(({ accessToken }) => accessToken);
    await clock.advance(LEASE_MS + 1);
    server.respond = async () =>
      Promise.resolve({ access_token: 'at-new', refresh_token: 'rt-0', expires_in: 3_600 });
    await startProcess().fresh('g1');
    await store.set('lease:g1', 'a third process', { ttlMs: LEASE_MS });
    return { ...bench, gate, late };
  }

  it.each(['answered', 'refused'] as const)(
    '[immunity 3] and is %s then: it changes nothing, uses the newer token, and the lease of another stays',
    async (end) => {
      const { gate, late, onRecord, store, reasons, startProcess } = await overrun(end);
      const before = await onRecord();
      gate.open();
      expect(await late).toBe('at-new');
      expect([await onRecord(), await store.get('lease:g1')]).toEqual([before, 'a third process']);
      expect((await startProcess().fresh('g1')).accessToken).toBe('at-new');
      expect(reasons()).toEqual([]);
    },
  );

  it('[immunity 3] does not call any more when the lease ran out before the call', async () => {
    const { store, clock, server, startProcess } = await expired();
    const gate = createGate();
    const slow = startProcess({
      keyValue: hooked(store, (command, key) =>
        command + key === 'setIfAbsentattempt:g1' ? gate.passed : undefined,
      ),
    });
    const late = slow.fresh('g1');
    await clock.advance(LEASE_MS + 1);
    gate.open();
    await expect(late).rejects.toMatchObject({ code: 'lease_overrun', status: 503 });
    expect(server.spent).toEqual([]);
  });

  it('explains the re-login when its late call made a strict server end the grant', async () => {
    const { tokens, clock, server, startProcess, reasons } = await expired();
    const gate = createGate();
    server.respond = async () =>
      gate.passed.then(() => Promise.reject(new GrantRefusedError('invalid_grant')));
    const late = tokens.fresh('g1');
    await clock.advance(LEASE_MS + 1);
    server.respond = async () => Promise.resolve(server.rotated());
    await startProcess().fresh('g1');
    gate.open();
    const { accessToken } = await late;
    server.respond = async () => Promise.reject(new GrantRefusedError('invalid_grant'));
    await expect(tokens.renew('g1', accessToken)).rejects.toBeInstanceOf(GrantEndedError);
    expect(reasons()).toEqual(['answer_lost']);
  });
});

it('a sign-out during a renewal is no refusal for those who wait for it in another process', async () => {
  const { tokens, clock, server, startProcess } = await expired();
  const gate = createGate();
  server.respond = async () => gate.passed.then(() => server.rotated());
  const renewing = clock.passesUntil(tokens.fresh('g1'));
  await clock.advance(1);
  const waiting = clock.passesUntil(startProcess().fresh('g1'));
  await startProcess().forget('g1', 'signed_out');
  const { error } = await waiting;
  expect(error).toMatchObject({ reason: 'record_gone' });
  expect((error as Error).cause).toBeUndefined();
  gate.open();
  expect((await renewing).error).toMatchObject({ reason: 'signed_out' });
});

it('a refusal after renewals that went well is one, also where the server keeps its refresh token', async () => {
  const { tokens, clock, server, reasons, events } = await expired();
  server.respond = async () => Promise.resolve({ ...server.rotated(), refresh_token: 'rt-0' });
  await tokens.fresh('g1');
  await clock.advance(300_000); // a note of that attempt would still be there
  server.respond = async () => Promise.reject(new GrantRefusedError('invalid_grant'));
  await expect(tokens.renew('g1', 'at-1')).rejects.toBeInstanceOf(GrantEndedError);
  expect(reasons()).toEqual(['refused']);
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'refresh_failed', outcome: 'refused', reason: 'refused' }),
  );
});

it('a token that waits to be written is what a call gets whose older one was rejected', async () => {
  const { clock, store, startProcess } = await expired();
  const storage = failing(store, (command) => command === 'compareAndSet');
  const tokens = startProcess({ keyValue: storage.keyValue });
  storage.down = true;
  expect((await tokens.fresh('g1')).accessToken).toBe('at-1');
  expect((await tokens.renew('g1', 'at-0')).accessToken).toBe('at-1');
  storage.down = false;
  await clock.advance(1_000);
});

describe('[immunity 6] a slow reader', () => {
  it('does not put an older token set back into the memory of its process', () => {
    const cache = createTokenCache({ now: () => 0 });
    const tokenSet = {
      accessToken: 'at-1',
      refreshToken: 'rt-1',
      scopes: [],
      issuedAtMs: 0,
      expiresAtMs: 1,
      renewals: 1,
    };
    cache.set('g1', tokenSet);
    cache.set('g1', { ...tokenSet, accessToken: 'at-0', renewals: 0 });
    expect(cache.get('g1')?.accessToken).toBe('at-1');
  });
});

describe('a lost answer', () => {
  it('[immunity 20] is tried once more, and a refusal then is reported as what it is', async () => {
    const { tokens, clock, server, reasons, onRecord } = await expired();
    server.respond = async () => Promise.reject(cut);
    await expect(tokens.fresh('g1')).rejects.toMatchObject({ status: 503 });
    await clock.advance(5_000);
    server.respond = async () => Promise.reject(new GrantRefusedError('invalid_grant'));
    await expect(tokens.fresh('g1')).rejects.toBeInstanceOf(GrantEndedError);
    expect([reasons(), server.spent, await onRecord()]).toEqual([
      ['answer_lost'],
      ['rt-0', 'rt-0'],
      undefined,
    ]);
  });

  it('is told to the caller also where the storage does not take the pause after it', async () => {
    const { store, server, startProcess } = await expired();
    const storage = failing(store, (command, key) => command === 'set' && key === 'backoff:g1');
    const tokens = startProcess({ keyValue: storage.keyValue });
    storage.down = true;
    server.respond = async () => Promise.reject(cut);
    await expect(tokens.fresh('g1')).rejects.toMatchObject({ code: cut.code, retryAfterS: 5 });
  });

  it('[immunity 20] is reported as one also where the note of the renewal before it is still there', async () => {
    const { store, clock, server, startProcess, reasons } = await expired();
    const isNote = (command: string, key: string) => command === 'delete' && key === 'attempt:g1';
    const storage = failing(store, isNote);
    const tokens = startProcess({ keyValue: storage.keyValue });
    storage.down = true;
    expect((await tokens.fresh('g1')).accessToken).toBe('at-1');
    server.respond = async () => Promise.reject(cut);
    await expect(tokens.renew('g1', 'at-1')).rejects.toMatchObject({ status: 503 });
    await clock.advance(5_000);
    server.respond = async () => Promise.reject(new GrantRefusedError('invalid_grant'));
    await expect(tokens.renew('g1', 'at-1')).rejects.toBeInstanceOf(GrantEndedError);
    expect(reasons()).toEqual(['answer_lost']);
  });

  it('[immunity 20] within the grace of the server costs nothing', async () => {
    const { tokens, clock, server, reasons } = await expired();
    server.respond = async () => Promise.reject(cut);
    await expect(tokens.fresh('g1')).rejects.toMatchObject({ status: 503 });
    await clock.advance(5_000);
    server.respond = async () => Promise.resolve(server.rotated());
    expect((await tokens.fresh('g1')).accessToken).toBe('at-2');
    server.respond = async () => Promise.reject(new GrantRefusedError('invalid_grant'));
    await expect(tokens.renew('g1', 'at-2')).rejects.toBeInstanceOf(GrantEndedError);
    expect(reasons()).toEqual(['refused']);
  });
});

describe('a renewal whose result the storage does not take', () => {
  /** Signed in and expired; the storage refuses to change records once the token endpoint was called. */
  async function unwritten() {
    const bench = await expired();
    const storage = failing(bench.store, (command) => command === 'compareAndSet');
    const tokens = bench.startProcess({ keyValue: storage.keyValue });
    storage.down = true;
    expect((await tokens.fresh('g1')).accessToken).toBe('at-1');
    return { ...bench, tokens, storage };
  }

  it('[immunity 20] is used from memory meanwhile, and written later', async () => {
    const { tokens, clock, storage, startProcess, server, eventTypes } = await unwritten();
    await clock.advance(1_000);
    expect((await tokens.fresh('g1')).accessToken).toBe('at-1');
    storage.down = false;
    await clock.advance(200);
    expect((await startProcess().fresh('g1')).accessToken).toBe('at-1');
    expect(server.spent).toEqual(['rt-0']);
    expect(eventTypes()).toContain('token_write_delayed');
  });

  it('keeps its lease until then, so that no other process spends the old refresh token again', async () => {
    const { clock, storage, startProcess, server, store } = await unwritten();
    const other = startProcess().fresh('g1');
    await clock.advance(1_000);
    storage.down = false;
    const { value } = await clock.passesUntil(other);
    expect([value?.accessToken, server.spent]).toEqual(['at-1', ['rt-0']]);
    expect(await store.get('lease:g1')).toBeUndefined();
  });

  it('[immunity 20] is not renewed meanwhile with the spent token of the record, also once the lease has run out', async () => {
    const { tokens, clock, server } = await unwritten();
    await clock.advance(LEASE_MS);
    await expect(tokens.renew('g1', 'at-1')).rejects.toBeInstanceOf(StorageError);
    expect(server.spent).toEqual(['rt-0']);
  });

  it('is revoked, not written, when the user signs out meanwhile', async () => {
    const { tokens, clock, storage, server, onRecord, startProcess } = await unwritten();
    await startProcess().forget('g1', 'signed_out');
    storage.down = false;
    await clock.advance(200);
    await tokens.idle();
    expect(server.revoked).toEqual(expect.arrayContaining(['rt-1', 'at-1']));
    expect(await onRecord()).toBeUndefined();
  });

  it('is given up where another process has written a record that is not readable here', async () => {
    const { tokens, clock, storage, store, events } = await unwritten();
    await store.set('grant:g1', `otherkey.${'A'.repeat(40)}`, { ttlMs: HOUR_MS });
    storage.down = false;
    await clock.advance(1_000);
    expect([tokens.pendingWrites(), await store.get('lease:g1')]).toEqual([0, undefined]);
    expect(events.filter(({ type }) => type === 'key_missing')).toHaveLength(1);
  });

  it('was written although the answer of the storage was lost: it is found there and used', async () => {
    const { store, server, startProcess, eventTypes } = await expired();
    let lost = false;
    const resending = {
      ...store,
      compareAndSet: async (key: string, expected: string, value: string) => {
        if (!lost) await store.compareAndSet(key, expected, value);
        lost = true;
        return await store.compareAndSet(key, expected, value);
      },
    };
    expect((await startProcess({ keyValue: resending }).fresh('g1')).accessToken).toBe('at-1');
    expect([server.spent, server.revoked]).toEqual([['rt-0'], []]);
    expect(eventTypes()).not.toContain('session_ended');
  });
});

describe('a grant that is set up anew under the same id', () => {
  it('is the new one at once, whatever the process had in memory of the one before', async () => {
    const { tokens, signIn } = await expired();
    await tokens.fresh('g1'); // renewed once, as the new one is not
    await signIn(tokens, 'g1', { access_token: 'at-new' });
    expect((await tokens.fresh('g1')).accessToken).toBe('at-new');
  });
});

describe('sign-out', () => {
  it('[immunity 7] during a renewal leaves no record, and what is received afterwards is revoked', async () => {
    const { tokens, clock, server, startProcess, onRecord, reasons } = await expired();
    const gate = createGate();
    server.respond = async () => gate.passed.then(server.rotated);
    const renewal = tokens.fresh('g1');
    await clock.advance(10);
    await startProcess().forget('g1', 'signed_out');
    gate.open();
    await expect(renewal).rejects.toBeInstanceOf(GrantEndedError);
    await tokens.idle();
    expect(server.revoked).toEqual(expect.arrayContaining(['rt-0', 'at-0', 'rt-1', 'at-1']));
    expect([await onRecord(), reasons()]).toEqual([undefined, ['signed_out']]);
    await expect(tokens.fresh('g1')).rejects.toBeInstanceOf(GrantEndedError);
  });

  it('during a renewal does not keep its callers waiting for a revocation that hangs; stopping waits for it', async () => {
    const { clock, server, startProcess } = await expired();
    const gate = createGate();
    let revocations = 0;
    const tokens = startProcess({
      tokenEndpoint: {
        refresh: async () => clock.sleep(100).then(server.rotated),
        revoke: async () => {
          revocations++;
          await gate.passed;
        },
      },
    });
    const renewal = tokens.fresh('g1');
    await clock.advance(10);
    await startProcess().forget('g1', 'signed_out');
    const { error, tookMs } = await clock.passesUntil(renewal);
    expect(error).toBeInstanceOf(GrantEndedError);
    expect(tookMs).toBeLessThan(200);
    expect(revocations).toBe(1);
    const idle = jest.fn();
    void tokens.idle().then(idle);
    await clock.advance(0);
    expect(idle).not.toHaveBeenCalled();
    gate.open();
    await clock.advance(0);
    expect(idle).toHaveBeenCalled();
  });

  it.each([
    ['the refresh token', ['refresh_token', 'access_token'], 'failed', 'rt-0', UNSUPPORTED],
    ['the access token, which ends by itself', ['access_token'], 'ok', 'rt-0', UNSUPPORTED],
    ['the only token there is', ['access_token'], 'failed', undefined, UNSUPPORTED],
    ['the access token, for another reason', ['access_token'], 'failed', 'rt-0', 'invalid_client'],
  ])('has told a server that does not revoke %s: %j, %s', async (...row) => {
    const [, refused, outcome, refresh_token, code] = row;
    const { startProcess, signIn, events } = setUp();
    const tokens = startProcess({
      tokenEndpoint: {
        refresh: () => Promise.reject(new Error('not asked')),
        async revoke(_token, hint) {
          if (refused.includes(hint)) throw new MisconfiguredError('not supported', { code });
          return Promise.resolve();
        },
      },
    });
    await signIn(tokens, 'g1', { refresh_token });
    await (
      await tokens.forget('g1', 'signed_out')
    ).revoked;
    expect(events).toContainEqual(expect.objectContaining({ type: 'token_revoked', outcome }));
  });

  it('removes a record that this process has no key for', async () => {
    const { startProcess, onRecord, reasons } = await expired();
    await startProcess({ keys: [Buffer.alloc(32, 8)] }).forget('g1', 'signed_out');
    expect([await onRecord(), reasons()]).toEqual([undefined, ['signed_out']]);
  });

  it('during a stall of the storage, whose end deletes the record, revokes when it is pressed again', async () => {
    const { store, startProcess, server } = await expired();
    let isStalled = true;
    const stalling = hooked(store, async (command, key) => {
      if (!isStalled || !key.startsWith('grant:')) return;
      if (command === 'take') await store.take(key); // done when the stall ends: nobody hears of it
      throw new StorageError('late');
    });
    const tokens = startProcess({ keyValue: stalling });
    await press(tokens);
    isStalled = false;
    const { revoked } = await tokens.forget('g1', 'signed_out');
    await revoked;
    expect(server.revoked).toEqual(['rt-0', 'at-0']);
  });

  it('revokes nothing when no revocation URL is configured', async () => {
    const { tokens, server } = await expired({ revocation: false });
    await (
      await tokens.forget('g1', 'signed_out')
    ).revoked;
    expect(server.revoked).toEqual([]);
  });

  /** Signed in over a storage that can be read, and deletes no record while it is down. */
  async function undeletable() {
    const bench = await expired();
    const storage = failing(bench.store, (command) => command === 'take');
    const tokens = bench.startProcess({ keyValue: storage.keyValue });
    storage.down = true;
    return { ...bench, tokens, storage };
  }
  const press = async (tokens: TokenManager): Promise<void> =>
    await expect(tokens.forget('g1', 'signed_out')).rejects.toBeInstanceOf(StorageError);

  it('revokes once what the storage does not delete yet, however often it is pressed and tried again', async () => {
    const { tokens, clock, storage, server, onRecord } = await undeletable();
    await Promise.all([press(tokens), press(tokens)]);
    await press(tokens);
    tokens.abandon('g1', 'replaced');
    await clock.advance(2_000);
    expect(server.revoked).toEqual(['rt-0', 'at-0']);
    storage.down = false;
    await clock.advance(200);
    await tokens.idle();
    expect([server.revoked, await onRecord()]).toEqual([['rt-0', 'at-0'], undefined]);
  });

  it.each([
    ['when the record is deleted', false],
    ['where the record was deleted and the reply lost', true],
  ])('revokes once more %s, what could not be revoked before', async (_when, isLost) => {
    const { clock, store, startProcess } = await expired();
    const storage = { down: true };
    const take: typeof store.take = async (key) => {
      const taken = storage.down && !isLost ? undefined : await store.take(key);
      if (storage.down) throw new StorageError('away');
      return taken;
    };
    let isServerDown = true;
    const revoked: string[] = [];
    const tokens = startProcess({
      keyValue: { ...store, take },
      tokenEndpoint: {
        refresh: () => Promise.reject(new Error('not asked')),
        revoke: (token) => {
          if (isServerDown) return Promise.reject(new Error('away'));
          revoked.push(token);
          return Promise.resolve();
        },
      },
    });
    await press(tokens);
    await clock.advance(0);
    isServerDown = false;
    await press(tokens); // not at every try
    expect(revoked).toEqual([]);
    storage.down = false;
    await (
      await tokens.forget('g1', 'signed_out')
    ).revoked;
    expect(revoked).toEqual(['rt-0', 'at-0']);
  });

  it('revokes also when the storage client has sent the deletion twice, and the second found nothing', async () => {
    const { store, server, startProcess } = await expired();
    const resending = {
      ...store,
      take: async (key: string) => {
        await store.take(key);
        return await store.take(key);
      },
    };
    const tokens = startProcess({ keyValue: resending });
    await (
      await tokens.forget('g1', 'signed_out')
    ).revoked;
    expect(server.revoked).toEqual(['rt-0', 'at-0']);
  });

  it('revokes also what another process has renewed before the storage deletes the record', async () => {
    const { tokens, clock, storage, server, startProcess } = await undeletable();
    await press(tokens);
    await startProcess().fresh('g1');
    await press(tokens);
    storage.down = false;
    await tokens.forget('g1', 'signed_out');
    await clock.advance(0);
    expect(server.revoked).toEqual(['rt-0', 'at-0', 'rt-1', 'at-1']);
  });

  it('revokes once what was issued by a sign-in that failed, whether or not it is on record', async () => {
    const { clock, server, startProcess, signIn } = setUp();
    const tokens = startProcess();
    tokens.abandon('g1', 'record_gone', await signIn(tokens));
    await clock.advance(200);
    expect(server.revoked).toEqual(['rt-0', 'at-0']);
  });

  /** What the process has in memory is all it could give out: nothing of the storage responds. */
  it.each<[string, (bench: ReturnType<typeof setUp>, tokens: TokenManager) => Promise<unknown>]>([
    ['here', (_bench, tokens) => tokens.forget('g1', 'signed_out')],
    [
      'in another process, as a read has shown',
      async ({ startProcess, clock }, tokens) => {
        await startProcess().forget('g1', 'signed_out');
        await clock.advance(HOUR_MS - 30_000); // the margin, in which the record is read
        await expect(tokens.fresh('g1')).rejects.toBeInstanceOf(GrantEndedError);
      },
    ],
    [
      'by the refusal of a renewal that nobody waited for',
      async ({ server, clock }, tokens) => {
        server.respond = async () => Promise.reject(new GrantRefusedError('invalid_grant'));
        await clock.advance(HOUR_MS - 30_000);
        await tokens.fresh('g1');
        await tokens.idle();
      },
    ],
  ])('leaves nothing in memory to go on with while the storage is away: %s', async (_how, end) => {
    const bench = setUp();
    const storage = failing(bench.store, () => true);
    const tokens = bench.startProcess({ keyValue: storage.keyValue });
    await bench.signIn(tokens);
    await end(bench, tokens);
    storage.down = true;
    await expect(tokens.fresh('g1')).rejects.toBeInstanceOf(StorageError);
  });

  it('leaves nothing in memory of a call that read the record while it was being deleted', async () => {
    const { store, startProcess, signIn } = setUp();
    const keyValue = hooked(store, async (command) => {
      if (command === 'take') await tokens.fresh('g1');
    });
    const tokens = startProcess({ keyValue });
    await signIn(tokens);
    await tokens.forget('g1', 'signed_out');
    await expect(tokens.fresh('g1')).rejects.toBeInstanceOf(GrantEndedError);
  });

  it('has not happened when the storage does not answer', async () => {
    const { store, startProcess, onRecord, reasons } = await expired();
    const storage = failing(store, () => true);
    storage.down = true;
    await expect(
      startProcess({ keyValue: storage.keyValue }).forget('g1', 'signed_out'),
    ).rejects.toBeInstanceOf(StorageError);
    expect([(await onRecord()) !== undefined, reasons()]).toEqual([true, []]);
  });
});
