import { parseConfig } from '../../src/config/config.js';
import type { KeyValue } from '../../src/core/storage/key-value.js';
import { createMemoryKeyValue } from '../../src/core/storage/memory.js';
import { StorageError } from '../../src/errors.js';
import type { AppEvent } from '../../src/events.js';
import { connectGetbill } from '../../src/getbill/connect.js';
import { createQuota } from '../../src/getbill/quota.js';
import { SESSION_SECRET, TOKEN_ENCRYPTION_KEY } from '../support/test-app.js';

const QUARTER_HOUR_S = 900;

/** Processes that share a storage, each with a clock of its own. */
function setUp() {
  let passedMs = 0;
  const startMs = Date.UTC(2026, 0, 15, 10, 30);
  const keyValue = createMemoryKeyValue({ now: () => passedMs });
  const events: AppEvent[] = [];
  const processAt = (aheadMs = 0) =>
    createQuota({ keyValue, clientHash: 'a', emit: (event) => void events.push(event), now: () => startMs + passedMs + aheadMs }); // prettier-ignore
  /** As GetBill sends them, on GetBill's clock. */
  const headers = (remaining: number) => ({
    date: new Date(startMs + passedMs).toUTCString(),
    'x-ratelimit-limit': '1000',
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(startMs / 1000 + QUARTER_HOUR_S),
    'x-ratelimit-window': '3600',
  });
  const atSecond = (second: number): Date => new Date(startMs + second * 1000);
  const pass = (ms: number): void => void (passedMs += ms);
  return { keyValue, events, processAt, headers, atSecond, pass };
}

const waitOf = async (call: Promise<void>): Promise<number | undefined> => {
  try {
    await call;
    return undefined;
  } catch (error) {
    return (error as { retryAfterS?: number }).retryAfterS;
  }
};

describe.each([-600_000, 0, 600_000])('a process whose clock is %d ms ahead', (aheadMs) => {
  it("waits as long as GetBill told another process, by no clock but the storage's", async () => {
    const { processAt, pass } = setUp();
    await processAt().block('read', { 'retry-after': '3' }, undefined);
    const other = processAt(aheadMs);
    expect(await waitOf(other.admit('read', 'page'))).toBe(3);
    pass(3_001);
    expect(await waitOf(other.admit('read', 'page'))).toBeUndefined();
  });

  it('takes points in time from the clock of the response that names them', async () => {
    const { processAt, headers, pass } = setUp();
    const one = processAt(aheadMs);
    one.learn('read', headers(10));
    expect(await waitOf(one.admit('read', 'proxy'))).toBe(QUARTER_HOUR_S);
    expect(await waitOf(processAt(-aheadMs).admit('read', 'job'))).toBe(QUARTER_HOUR_S);
    expect(await waitOf(one.admit('read', 'page'))).toBeUndefined();
    pass(QUARTER_HOUR_S * 1000 + 1);
    expect(await waitOf(one.admit('read', 'proxy'))).toBeUndefined();

    const wait = { date: headers(0).date, 'retry-after': 'Thu, 15 Jan 2026 10:45:30 GMT' };
    expect(await one.block('read', wait, undefined)).toBe(30);
    expect(await one.block('write', headers(0), undefined)).toBe(1);
  });
});

it('a 429 is told to the operator, and so is each call that it stops; the wait is rounded up', async () => {
  const { events, processAt, pass } = setUp();
  const quota = processAt();
  await quota.block('read', { 'retry-after': '3' }, undefined);
  pass(2_001);
  expect(await waitOf(quota.admit('read', 'page'))).toBe(1);
  expect(events).toEqual([
    { type: 'quota_exhausted', limitClass: 'read', retryAfterMs: 3_000 },
    { type: 'api_not_asked', limitClass: 'read', retryAfterMs: 999 },
  ]);
});

it('people are shown what is left until the reset, and after a 429 nothing until it ends', async () => {
  const { processAt, headers, atSecond } = setUp();
  const quota = processAt();
  quota.learn('read', headers(400));
  const known = { left: 400, limit: 1_000, resetsAt: atSecond(QUARTER_HOUR_S) };
  expect(await quota.lastKnown('read')).toEqual(known);
  await quota.block('read', { 'retry-after': '30' }, undefined);
  expect(await quota.lastKnown('read')).toEqual({ ...known, left: 0, resetsAt: atSecond(30) });
});

it('a clock that is set back an hour blocks nobody for an hour', async () => {
  const { keyValue } = setUp();
  let nowMs = 10_000_000;
  const quota = createQuota({ keyValue, clientHash: 'a', emit: () => undefined, now: () => nowMs });
  await quota.admit('read', 'page');
  await quota.block('read', { 'retry-after': '3' }, undefined);
  nowMs -= 3_600_000;
  expect(await waitOf(quota.admit('read', 'page'))).toBeLessThanOrEqual(3);
  await keyValue.delete('quota:a:read:blocked'); // as it ends
  nowMs += 1_000;
  expect(await waitOf(quota.admit('read', 'page'))).toBeUndefined();
});

it('a process that cannot write down what GetBill told it waits nevertheless, until it is told to forget it', async () => {
  const { keyValue, processAt, pass } = setUp();
  keyValue.set = () => Promise.reject(new Error('OOM command not allowed'));
  const quota = processAt();
  const waits = () => Promise.all((['read', 'write'] as const).map((limitClass) => waitOf(quota.admit(limitClass, 'page')))); // prettier-ignore
  await quota.block('read', { 'retry-after': '60' }, undefined);
  await quota.block('write', { 'retry-after': '30' }, undefined);
  pass(2_000);
  expect(await waits()).toEqual([58, 28]);
  await quota.forget();
  expect(await waits()).toEqual([undefined, undefined]);
  await quota.block('read', { 'retry-after': '3' }, undefined);
  pass(3_001);
  expect(await waitOf(quota.admit('read', 'page'))).toBeUndefined();
});

it('what is left is written once a second, a new limit at once, and no late response adds to it', () => {
  const { keyValue, processAt, headers, pass } = setUp();
  const write = jest.spyOn(keyValue, 'set');
  const quota = processAt();
  const after = (remaining: number, limit = '1000') => {
    quota.learn('read', { ...headers(remaining), 'x-ratelimit-limit': limit });
    return [quota.left('read'), write.mock.calls.length];
  };
  expect([after(400), after(500), after(300, '2000'), after(600, '2000'), after(900)]).toEqual([
    [400, 1],
    [400, 1],
    [300, 2],
    [300, 2],
    [900, 3],
  ]);
  pass(1_000);
  expect(after(800)).toEqual([800, 4]);
});

it('is read once a second, and tells another process the limit as well', async () => {
  const { keyValue, processAt, headers } = setUp();
  processAt().learn('read', headers(400));
  const reads = jest.spyOn(keyValue, 'getWithTtl');
  const other = processAt();
  for (let call = 0; call < 3; call += 1) await other.admit('read', 'page');
  expect(reads).toHaveBeenCalledTimes(2); // what is left, and a block
  expect(other.limit('read')).toEqual({ most: 1_000, windowMs: 3_600_000 });
});

it('a read that began before a 429 and ends after it does not end the wait', async () => {
  const { keyValue } = setUp();
  const responses: (() => void)[] = [];
  const slow = {
    ...keyValue,
    getWithTtl: async (key: string) => {
      const found = await keyValue.getWithTtl(key);
      await new Promise<void>((resolve) => void responses.push(resolve));
      return found;
    },
  };
  const quota = createQuota({
    keyValue: slow,
    clientHash: 'a',
    emit: () => undefined,
    now: () => 0,
  });
  const admitted = waitOf(quota.admit('read', 'page'));
  await quota.block('read', { 'retry-after': '60' }, undefined);
  for (const respond of responses) respond();
  expect(await admitted).toBe(60);
});

describe('a record that this app did not write', () => {
  const spoilt = ['null', '{}', '[]', '7', 'a text', '', '{"limit":1e999}', '{"retryAfterS":"3"}', '{"blockedUntilMs":1e15}', '{"limit":10,"remaining":0,"windowMs":-1,"reset":1}', '{"limit":10,"remaining":0,"windowMs":1e15,"reset":1}']; // prettier-ignore

  it.each(spoilt.flatMap((value) => [['quota:a:read', value], ['quota:a:read:blocked', value]]))(
    'counts as absent, goes, and is told of (%s: %s)',
    async (key, value) => {
      const { keyValue, processAt, events, pass } = setUp();
      await keyValue.set(key, value, { ttlMs: 3_600_000 });
      const quota = processAt();
      expect(await waitOf(quota.admit('read', 'proxy'))).toBeUndefined();
      expect(await quota.lastKnown('read')).toBeUndefined();
      expect(await keyValue.get(key)).toBeUndefined();
      pass(1_001);
      expect(await waitOf(quota.admit('read', 'proxy'))).toBeUndefined();
      expect(events).toEqual([{ type: 'record_replaced', record: 'quota' }]);
    },
  ); // prettier-ignore

  it.each([
    ['quota:a:read', '{"limit":10,"remaining":0,"windowMs":60000,"reset":1}', Infinity],
    ['quota:a:read', '{"limit":10,"remaining":0,"windowMs":60000,"reset":1}', 61_000],
    ['quota:a:read:blocked', '{"retryAfterS":3,"id":"x"}', Infinity],
    ['quota:a:read:blocked', '{"retryAfterS":3,"id":"x"}', 86_400_000],
  ])(
    'counts as absent when it holds for longer than it says (%s: %s, %d ms)',
    async (key, value, ttlMs) => {
      const { keyValue, processAt } = setUp();
      await keyValue.set(key, value, { ttlMs });
      expect(await waitOf(processAt().admit('read', 'proxy'))).toBeUndefined();
      expect(await keyValue.get(key)).toBeUndefined();
    },
  );

  it('leaves nothing in the memory of the process once it is gone', async () => {
    const { keyValue, processAt, pass } = setUp();
    const quota = processAt();
    await keyValue.set('quota:a:read', '{"limit":10,"remaining":0,"windowMs":60000,"reset":99999999999}', { ttlMs: 60_000 }); // prettier-ignore
    expect(await waitOf(quota.admit('read', 'proxy'))).toBe(60);
    await keyValue.delete('quota:a:read');
    pass(1_001);
    expect(await waitOf(quota.admit('read', 'proxy'))).toBeUndefined();
  });
});

describe('connections to GetBill over one storage', () => {
  const open: ReturnType<typeof connectGetbill>[] = [];
  afterEach(() => Promise.all(open.splice(0).map(({ upstream }) => upstream.close())));

  function connect(clientId: string, keyValue: KeyValue) {
    const config = parseConfig({ GETBILL_CLIENT_ID: clientId, GETBILL_CLIENT_SECRET: 'client-secret-1', SESSION_SECRET, TOKEN_ENCRYPTION_KEY }); // prettier-ignore
    const connected = connectGetbill(config, { keyValue, emit: () => undefined, now: () => 0, monotonicMs: () => 0 }); // prettier-ignore
    open.push(connected);
    return connected;
  }

  it('of two clients of GetBill know nothing of one another', async () => {
    const { keyValue } = setUp();
    await connect('a', keyValue).quota.block('read', { 'retry-after': '1800' }, undefined);
    expect(await waitOf(connect('a', keyValue).quota.admit('read', 'page'))).toBe(1800);
    expect(await waitOf(connect('b', keyValue).quota.admit('read', 'page'))).toBeUndefined();
  });

  it('count shares in their own process while the storage cannot', async () => {
    const increment = () => Promise.reject(new StorageError('x'));
    const { localLimits } = connect('a', { ...setUp().keyValue, increment });
    const [limit, counted] = [{ most: 1, windowMs: 60_000 }, [] as boolean[]];
    for (let call = 0; call < 2; call += 1)
      counted.push((await localLimits.consume('share', 'read:one', limit)).granted);
    expect(counted).toEqual([true, false]);
  });
});

describe('a limit that GetBill writes in another way', () => {
  const learn = (changed: Record<string, string | string[]>) => {
    const { processAt, headers } = setUp();
    const quota = processAt();
    quota.learn('read', { ...headers(900), ...changed });
    return quota;
  };

  it.each<[string, string | string[]]>([
    ['twice', ['1000', '1000']],
    ['as a list of two headers', '1000, 1000'],
    ['with its policy', '1000, 1000;w=3600'],
    ['with parameters', '1000;w=3600'],
    ['with spaces', ' 1000 '],
    ['as a fraction', '1000.0'],
  ])('is the same limit: %s', (_how, limit) => {
    expect(learn({ 'x-ratelimit-limit': limit }).limit('read')).toEqual({
      most: 1000,
      windowMs: 3_600_000,
    });
  });

  it.each<[string, string, number | undefined]>([
    ['is empty', '', undefined],
    ['is no number', 'many', undefined],
    ['is no decimal number', '0x10', undefined],
    ['is below zero', '-3', 0],
    ['has parameters', '17;w=3600', 17],
  ])('counts although what is left of it %s: %j', (_how, remaining, left) => {
    const quota = learn({ 'x-ratelimit-remaining': remaining });
    expect([quota.limit('read')?.most, quota.left('read')]).toEqual([1000, left]);
  });

  it.each<[string, string, number]>([
    ['not said', '', 3_600_000],
    ['said in words', 'hour', 3_600_000],
    ['below zero', '-1', 3_600_000],
    ['of a week', '604800', 86_400_000],
  ])('holds although its window is %s', (_how, window, windowMs) => {
    const quota = learn({ 'x-ratelimit-window': window });
    expect(quota.limit('read')).toEqual({ most: 1000, windowMs });
  });

  it('is no limit where it is larger than a counter can hold', () => {
    for (const limit of ['1e24', '9'.repeat(24), '9223372036854775807', '-1', 'unlimited', '1,000'])
      expect([limit, learn({ 'x-ratelimit-limit': limit }).limit('read')]).toEqual([
        limit,
        undefined,
      ]);
  });
});
