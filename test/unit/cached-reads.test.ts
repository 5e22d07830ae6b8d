import { UnavailableError } from '../../src/errors.js';
import { createCachedReads } from '../../src/getbill/cached-reads.js';
import { createProfileCache } from '../../src/getbill/profile-cache.js';
import { browserLeft } from '../../src/getbill/unavailable.js';
import type { CompanyProfile } from '../../src/getbill/types.js';

const FRESH_MS = 60_000;
const KEPT_MS = 3_600_000;

let nowMs: number;
const now = (): number => nowMs;
beforeEach(() => (nowMs = 1_000_000));

/** GetBill, as slow as the test wants. */
function held<Value>() {
  let respond: (value: Value) => void = () => undefined;
  const load = jest.fn(() => new Promise<Value>((resolve) => (respond = resolve)));
  return { load, respond: (value: Value) => respond(value) };
}

describe('figures that are read rarely', () => {
  const options = { now, freshMs: FRESH_MS, keptMs: KEPT_MS };

  it('are those of before while GetBill hangs, with the reason, and newer on the next page', async () => {
    const reads = createCachedReads<string>({ ...options, waitMs: 1 });
    await reads.get('grant', () => Promise.resolve('old'));
    const oldMs = nowMs;
    nowMs += FRESH_MS;
    const { load, respond } = held<string>();
    const shown = await reads.get('grant', load);
    expect([shown.value, shown.readAtMs, shown.failure?.code]).toEqual(['old', oldMs, 'getbill_timeout']); // prettier-ignore
    respond('new');
    await Promise.resolve(); // late, but not lost
    const next = await reads.get('grant', load);
    expect([next.value, next.readAtMs, next.failure]).toEqual(['new', nowMs, undefined]);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('are missing for a while when GetBill hangs and nothing was read before', async () => {
    const reads = createCachedReads<string>({ ...options, waitMs: 1 });
    const { load } = held<string>();
    await expect(reads.get('grant', load)).rejects.toMatchObject({ code: 'getbill_timeout' });
    await expect(reads.get('grant', load)).rejects.toMatchObject({ code: 'getbill_timeout' });
    expect(load).toHaveBeenCalledTimes(1); // the call under way is waited for again
  });

  it('are not kept when they come after the sign-out, nor waited for by the next sign-in', async () => {
    const reads = createCachedReads<string>(options);
    const [mine, next] = [held<string>(), held<string>()];
    const late = reads.get('grant', mine.load);
    await Promise.resolve();
    reads.forget('grant');
    const anew = reads.get('grant', next.load);
    await Promise.resolve();
    mine.respond('signed out');
    expect((await late).value).toBe('signed out');
    expect(reads.last('grant')).toBeUndefined();
    next.respond('signed in');
    expect((await anew).value).toBe('signed in');
    expect(reads.last('grant')).toBe('signed in');
  });

  it('are read for a second page when the first has left, which ends its own call', async () => {
    const reads = createCachedReads<string>(options);
    let leave: (error: Error) => void = () => undefined;
    const left = reads.get('grant', () => new Promise((_resolve, reject) => (leave = reject)));
    await Promise.resolve();
    const others = held<string>();
    const [second, third] = [reads.get('grant', others.load), reads.get('grant', others.load)];
    await Promise.resolve();
    leave(browserLeft(undefined));
    await expect(left).rejects.toMatchObject({ code: 'browser_left' });
    await new Promise((resolve) => setImmediate(resolve));
    others.respond('read');
    expect([(await second).value, (await third).value]).toEqual(['read', 'read']);
    expect(others.load).toHaveBeenCalledTimes(1);
  });

  it('are read again after a failure, by one call for all who ask meanwhile', async () => {
    const reads = createCachedReads<string>(options);
    const fail = jest.fn(() => Promise.reject(new UnavailableError('down', { status: 502 })));
    const asked = [reads.get('grant', fail), reads.get('grant', fail)];
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected']); // prettier-ignore
    expect(fail).toHaveBeenCalledTimes(1);
    expect((await reads.get('grant', () => Promise.resolve('up'))).value).toBe('up');
  });
});

describe('the profile that pages keep', () => {
  const company = (name: string): CompanyProfile => ({ id: 'c1', name }) as CompanyProfile;
  const profiles = () => createProfileCache({ now, keptMs: KEPT_MS });

  it('is not kept when it comes after the sign-out', async () => {
    const cache = profiles();
    const { load, respond } = held<CompanyProfile>();
    const late = cache.get('grant', load);
    await Promise.resolve();
    cache.forget('grant');
    respond(company('former'));
    await late;
    expect((await cache.get('grant', () => Promise.resolve(company('now')))).name).toBe('now');
  });

  it('is read again once its company has changed, and not shown as it was', async () => {
    const cache = profiles();
    await cache.get('grant', () => Promise.resolve(company('before')));
    nowMs += 1;
    cache.forgetCompany('c1');
    const failure = new UnavailableError('down', { status: 502 });
    await expect(cache.get('grant', () => Promise.reject(failure))).rejects.toBe(failure);
    nowMs += 1;
    expect((await cache.get('grant', () => Promise.resolve(company('after')))).name).toBe('after');
    expect((await cache.get('grant', () => Promise.reject(failure))).name).toBe('after');
  });
});
