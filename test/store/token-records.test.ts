/// <reference types="jest" />
import { StorageError } from '../../src/errors.js';
import { systemClock } from '../../src/core/clock.js';
import { createReport, type AppEvent } from '../../src/events.js';
import type { TokenSet } from '../../src/core/oauth/token-set.js';
import type { KeyValue } from '../../src/core/storage/key-value.js';
import { createCipher } from '../../src/core/storage/cipher.js';
import { createReadRecord } from '../../src/core/storage/read-record.js';
import { createTokenRecords, type TokenRecords } from '../../src/core/tokens/token-records.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { connectStorage, type RedisStorage } from '../support/redis-storage.js';

jest.setTimeout(30_000);

const key = Buffer.alloc(32, 1);
const otherKey = Buffer.alloc(32, 2);
const ttlMs = 28_800_000;

let server: RedisServer;
let storage: RedisStorage;
let records: TokenRecords;
const events: AppEvent[] = [];

function recordsOver(keyValue: KeyValue, keys = [key]): TokenRecords {
  const emit = (event: AppEvent): void => void events.push(event);
  const report = createReport(emit, (id) => id.slice(0, 8));
  const readRecord = createReadRecord({ keyValue, report });
  const cipher = createCipher(keys);
  return createTokenRecords({ keyValue, cipher, readRecord, clock: systemClock });
}

beforeAll(async () => {
  server = await startRedis();
  storage = await connectStorage(server);
  records = recordsOver(storage.keyValue);
});
beforeEach(async () => {
  events.length = 0;
  await server.client.flushall();
});
afterAll(async () => {
  await storage.keyValue.close();
  await server.close();
});

const tokenSet = (name: string): TokenSet => ({
  accessToken: `CANARY-access-${name}`,
  refreshToken: `CANARY-refresh-${name}`,
  scopes: ['company:read'],
  issuedAtMs: 1,
  expiresAtMs: 2,
  renewals: 0,
});

const create = (grantId = 'g1', name = 'first') =>
  records.create(grantId, tokenSet(name), { ttlMs });

describe('a token record', () => {
  it('is read as it was created', async () => {
    const stored = await create();
    expect(await records.read('g1')).toEqual(stored);
    expect(stored.tokenSet).toEqual(tokenSet('first'));
    expect(await records.read('g2')).toBeUndefined();
  });

  it('[C12] lives as long as the session at most, also after it was replaced', async () => {
    const stored = await create();
    await server.client.pexpire('grant:g1', 60_000);
    await records.replace('g1', stored, tokenSet('second'));
    const left = await server.client.pttl('grant:g1');
    expect(left).toBeGreaterThan(50_000);
    expect(left).toBeLessThanOrEqual(60_000);
    await create('g2');
    expect(await server.client.pttl('grant:g2')).toBeGreaterThan(ttlMs - 10_000);
  });

  it('[B02] shows no token and is written differently each time', async () => {
    const first = await create();
    const second = await create();
    expect(first.sealed).not.toBe(second.sealed);
    const dump = await server.dump();
    const decoded = dump
      .split(/[. \n]/)
      .map((part) => Buffer.from(part, 'base64url').toString('latin1'));
    expect([dump, ...decoded].join()).not.toContain('CANARY');
  });

  it('[B02] that was copied from another grant is no record, and is removed there only', async () => {
    const { sealed } = await create('victim');
    await server.client.set('grant:thief', sealed, 'PX', ttlMs);
    expect(await records.read('thief')).toBeUndefined();
    expect(await server.client.exists('grant:thief')).toBe(0);
    expect(await records.read('victim')).toBeDefined();
  });
});

describe('replacing a record', () => {
  it('is done when it still is the one that was read', async () => {
    const change = await records.replace('g1', await create(), tokenSet('second'));
    expect(change).toMatchObject({ outcome: 'done', stored: { tokenSet: tokenSet('second') } });
    expect((await records.read('g1'))?.tokenSet).toEqual(tokenSet('second'));
  });

  it('finds what somebody else wrote meanwhile, and leaves it', async () => {
    const old = await create();
    await records.replace('g1', old, tokenSet('theirs'));
    const change = await records.replace('g1', old, tokenSet('mine'));
    expect(change).toMatchObject({
      outcome: 'superseded',
      stored: { tokenSet: tokenSet('theirs') },
    });
    expect((await records.read('g1'))?.tokenSet).toEqual(tokenSet('theirs'));
  });

  it('brings nothing back to life after a sign-out', async () => {
    const old = await create();
    await records.remove('g1');
    expect(await records.replace('g1', old, tokenSet('late'))).toEqual({ outcome: 'gone' });
    expect(await server.client.exists('grant:g1')).toBe(0);
  });

  it('recognises its own earlier success when the command was sent twice', async () => {
    const old = await create();
    const sentTwice = recordsOver({
      ...storage.keyValue,
      async compareAndSet(...args) {
        await storage.keyValue.compareAndSet(...args);
        return await storage.keyValue.compareAndSet(...args); // the answer to the first was lost
      },
    });
    const change = await sentTwice.replace('g1', old, tokenSet('second'));
    expect(change).toMatchObject({ outcome: 'done', stored: { tokenSet: tokenSet('second') } });
  });

  it('lets one of ten win and hands its tokens to the others', async () => {
    const old = await create();
    const changes = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        records.replace('g1', old, tokenSet(`writer-${index}`)),
      ),
    );
    const kept = (await records.read('g1'))?.tokenSet;
    expect(changes.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
    expect(changes.filter(({ outcome }) => outcome === 'superseded')).toHaveLength(9);
    for (const change of changes) expect(change).toMatchObject({ stored: { tokenSet: kept } });
  });
});

describe('removing a record', () => {
  it('exactly is done once, then it is gone', async () => {
    const old = await create();
    expect(await records.removeExactly('g1', old)).toMatchObject({ outcome: 'done' });
    expect(await records.removeExactly('g1', old)).toEqual({ outcome: 'gone' });
    expect(await server.client.exists('grant:g1')).toBe(0);
  });

  it('exactly spares a newer one and hands it over', async () => {
    const old = await create();
    await records.replace('g1', old, tokenSet('newer'));
    const change = await records.removeExactly('g1', old);
    expect(change).toMatchObject({
      outcome: 'superseded',
      stored: { tokenSet: tokenSet('newer') },
    });
    expect((await records.read('g1'))?.tokenSet).toEqual(tokenSet('newer'));
  });

  it('hands over what was there, once', async () => {
    await create();
    const removed = await Promise.all(Array.from({ length: 5 }, () => records.remove('g1')));
    expect(removed.filter((found) => found !== undefined)).toEqual([tokenSet('first')]);
  });

  it('at sign-out works for what cannot be read, too', async () => {
    await recordsOver(storage.keyValue, [otherKey]).create('g1', tokenSet('first'), { ttlMs });
    await server.client.hset('grant:g2', 'field', 'value');
    expect(await records.remove('g1')).toBeUndefined();
    expect(await records.remove('g2')).toBeUndefined();
    expect(await server.client.dbsize()).toBe(0);
  });
});

describe('a record that is not readable', () => {
  it.each(['{garbage', '"str"', '{"a":1}', ''])(
    '[B03] (%j) counts as none and is removed',
    async (text) => {
      await server.client.set('grant:g1', text, 'PX', ttlMs);
      expect(await records.read('g1')).toBeUndefined();
      expect(await server.client.exists('grant:g1')).toBe(0);
      expect(events).toEqual([{ type: 'session_ended', grant: 'g1', reason: 'broken_record' }]);
    },
  );

  it('[B03] because one bit has flipped counts as none and is removed', async () => {
    const { sealed } = await create();
    const bytes = Buffer.from(sealed.slice(9), 'base64url');
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await server.client.set(
      'grant:g1',
      `${sealed.slice(0, 9)}${bytes.toString('base64url')}`,
      'PX',
      ttlMs,
    );
    expect(await records.read('g1')).toBeUndefined();
    expect(await server.client.exists('grant:g1')).toBe(0);
  });

  it('because a hash is under its key counts as none and is removed', async () => {
    await server.client.hset('grant:g1', 'field', 'value');
    expect(await records.read('g1')).toBeUndefined();
    expect(await server.client.exists('grant:g1')).toBe(0);
  });

  it('is removed only while it is the broken one', async () => {
    await server.client.set('grant:g1', '{garbage', 'PX', ttlMs);
    const { sealed } = await create('g2', 'repaired');
    const repairedMeanwhile = recordsOver({
      ...storage.keyValue,
      async getWithTtl(name) {
        const found = await storage.keyValue.getWithTtl(name);
        await create('g1', 'repaired');
        return found;
      },
    });
    expect(await repairedMeanwhile.read('g1')).toBeUndefined();
    expect((await records.read('g1'))?.tokenSet).toEqual(tokenSet('repaired'));
    expect(await server.client.get('grant:g2')).toBe(sealed);
  });

  it('[B03] because its key is unknown here is left alone and is an error of its own', async () => {
    const { sealed } = await recordsOver(storage.keyValue, [otherKey]).create(
      'g1',
      tokenSet('first'),
      { ttlMs },
    );
    await expect(records.read('g1')).rejects.toMatchObject({
      code: 'record_key_missing',
      status: 503,
    });
    expect(await server.client.get('grant:g1')).toBe(sealed);
    expect(await server.client.pttl('grant:g1')).toBeGreaterThan(ttlMs - 10_000);
    expect(events).toEqual([{ type: 'key_missing', grant: 'g1' }]);
  });

  it('[B03] is readable again once its key is there as a second one, and is then written with the first', async () => {
    const created = await recordsOver(storage.keyValue, [otherKey]).create(
      'g1',
      tokenSet('first'),
      { ttlMs },
    );
    const both = recordsOver(storage.keyValue, [key, otherKey]);
    const stored = await both.read('g1');
    expect(stored).toEqual(created);
    expect(stored?.tokenSet).toEqual(tokenSet('first'));
    if (stored !== undefined) await both.replace('g1', stored, tokenSet('second'));
    expect((await records.read('g1'))?.tokenSet).toEqual(tokenSet('second'));
  });
});

describe('a storage that fails', () => {
  it('is an error, and never a missing record', async () => {
    const failing: KeyValue = {
      ...storage.keyValue,
      getWithTtl: () => Promise.reject(new StorageError('away')),
      take: () => Promise.reject(new StorageError('away')),
      compareAndSet: () => Promise.reject(new StorageError('away')),
      compareAndDelete: () => Promise.reject(new StorageError('away')),
    };
    const old = await create();
    const over = recordsOver(failing);
    await expect(over.read('g1')).rejects.toBeInstanceOf(StorageError);
    await expect(over.replace('g1', old, tokenSet('x'))).rejects.toBeInstanceOf(StorageError);
    await expect(over.removeExactly('g1', old)).rejects.toBeInstanceOf(StorageError);
    await expect(over.remove('g1')).rejects.toBeInstanceOf(StorageError);
    expect((await records.read('g1'))?.sealed).toBe(old.sealed);
    expect(events).toEqual([]);
  });
});
