import { startInstallation, type Installation } from './support/installation.js';
import { percentile, steadily } from './support/steadily.js';
import type { TimedAnswer, Visitor } from './support/visitor.js';

jest.setTimeout(120_000); // processes have to start, on a machine that may be busy

const TOKEN_CALL_MS = 500;

let site: Installation;
let visitor: Visitor;

const callUntil = (refreshes: number): Promise<TimedAnswer[]> =>
  steadily(site, visitor, {
    everyMs: 100,
    enough: () => site.sandbox.control.state().counters.refreshOk === refreshes,
  });

beforeAll(async () => {
  site = await startInstallation({
    processes: ['a', 'b'],
    env: () => ({ GETBILL_TIMEOUT_MS: '2000' }),
    faults: {
      accessTokenLifetimeS: 4, // so the margin is one second
      token: [{ mode: 'delay', ms: TOKEN_CALL_MS, times: 0, grantType: 'refresh_token' }],
    },
  });
  visitor = await site.signIn();
});
afterAll(() => site.close());

describe('a call every 100 ms, with an access token that a slow token endpoint renews within its margin', () => {
  it('never waits for a renewal', async () => {
    site.sandbox.control.set({ oldAccessTokenDies: false });
    const answers = await callUntil(2);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await site.audit('refresh_waited')).toEqual([]);
    expect(await site.audit('refresh_joined')).toEqual([]);
    expect(percentile(answers, 95)).toBeLessThan(TOKEN_CALL_MS / 2);
    expect(site.sandbox.control.state().counters.tokenByGrant.refresh_token).toBe(2);
  });

  it('waits at most for the rest of the answer where GetBill ends the old access token at once', async () => {
    site.sandbox.control.set({ oldAccessTokenDies: true });
    const answers = await callUntil(3);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(percentile(answers, 95)).toBeLessThan(TOKEN_CALL_MS / 2);
    expect(site.sandbox.control.state().counters.tokenByGrant.refresh_token).toBe(3);
  });
});
