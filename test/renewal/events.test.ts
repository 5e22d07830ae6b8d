/// <reference types="jest" />
import { GrantRefusedError, UnavailableError } from '../../src/errors.js';
import { hooked, setUp } from './setup.js';

const HOUR_MS = 3_600_000;

async function expiredFor(ms: number) {
  const bench = setUp();
  const tokens = bench.startProcess();
  await bench.signIn(tokens);
  await bench.clock.advance(HOUR_MS + ms);
  const said = (type: string) => bench.events.filter((event) => event.type === type);
  return { ...bench, tokens, said };
}

describe('what is said about a renewal', () => {
  it('names what started it, how late it began, how long it took and whether the refresh token changed', async () => {
    const { clock, server, tokens, said } = await expiredFor(5_000);
    server.respond = async () => {
      await clock.sleep(300);
      return server.spent.length === 1 ? server.rotated() : { access_token: 'at-2' };
    };
    await clock.passesUntil(tokens.fresh('g1'));
    await clock.passesUntil(tokens.renew('g1', 'at-1'));
    const [first, second] = said('token_refreshed');
    expect(first).toMatchObject({ trigger: 'expired', rotated: true, lateMs: 5_000 });
    expect(second).toMatchObject({ trigger: 'rejected', rotated: false, lateMs: 0 });
    expect([first, second]).toMatchObject([{ durationMs: 300 }, { durationMs: 300 }]);
  });

  it('is one word where somebody else had done it before', async () => {
    const { store, tokens, startProcess, server, said } = await expiredFor(0);
    const slow = startProcess({
      keyValue: hooked(store, async (command, key) => {
        if (command === 'setIfAbsent' && key === 'lease:g1') await tokens.fresh('g1');
      }),
    });
    expect((await slow.fresh('g1')).accessToken).toBe('at-1');
    expect(server.spent).toEqual(['rt-0']);
    expect(said('refresh_reused')).toHaveLength(1);
  });

  it('says of each caller who joined it how long he waited', async () => {
    const { clock, server, tokens, said } = await expiredFor(0);
    server.respond = async () => {
      await clock.sleep(300);
      return server.rotated();
    };
    const first = tokens.fresh('g1');
    await clock.advance(100);
    await clock.passesUntil(Promise.all([first, tokens.fresh('g1')]));
    expect(said('refresh_joined')).toMatchObject([{ waitedMs: 200 }]);
  });
});

describe('what is said about a caller who waited for another process', () => {
  async function waitedFor(answer: () => Error | undefined) {
    const bench = await expiredFor(0);
    const { clock, server, tokens, startProcess, said } = bench;
    server.respond = async () => {
      await clock.sleep(300);
      const error = answer();
      if (error !== undefined) throw error;
      return server.rotated();
    };
    tokens.fresh('g1').catch(() => undefined);
    await clock.advance(10);
    await clock.passesUntil(startProcess().fresh('g1'));
    return said('refresh_waited');
  }

  it.each([
    ['renewed', undefined],
    ['ended', new GrantRefusedError('invalid_grant')],
    ['paused', new UnavailableError('busy', { status: 502 })],
  ] as const)('is how that one ended: %s', async (outcome, error) => {
    const said = await waitedFor(() => error);
    expect(said).toMatchObject([{ outcome, waitedMs: expect.any(Number) as number }]);
    const [{ waitedMs }] = said as unknown as [{ waitedMs: number }];
    expect(waitedMs).toBeGreaterThanOrEqual(290);
    expect(waitedMs).toBeLessThan(1_000);
  });

  it('is that he took its place, where that one had died', async () => {
    const { clock, store, tokens, said } = await expiredFor(0);
    await store.set('lease:g1', 'somebody who died', { ttlMs: 3_000 });
    await clock.passesUntil(tokens.fresh('g1'));
    expect(said('refresh_waited')).toMatchObject([{ outcome: 'taken_over' }]);
    expect(said('token_refreshed')).toHaveLength(1);
  });

  it('is that he gave up, where the lease did not become free', async () => {
    const { clock, store, tokens, said } = await expiredFor(0);
    await store.set('lease:g1', 'somebody else', { ttlMs: 60_000 });
    await clock.passesUntil(tokens.fresh('g1'));
    expect(said('refresh_waited')).toMatchObject([{ outcome: 'no_lease' }]);
  });
});
