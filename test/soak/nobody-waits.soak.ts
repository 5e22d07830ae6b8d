import { startInstallation, type Installation } from '../process/support/installation.js';
import { percentile, steadily } from '../process/support/steadily.js';
import type { TimedAnswer, Visitor } from '../process/support/visitor.js';

const TOKEN_CALL_MS = 2_000;
const RENEWALS = 6;

let site: Installation;
let visitor: Visitor;

const callUntil = (refreshes: number): Promise<TimedAnswer[]> =>
  steadily(site, visitor, {
    everyMs: 100,
    enough: () => site.sandbox.control.state().counters.refreshOk === refreshes,
  });

beforeAll(async () => {
  site = await startInstallation({
    processes: ['a', 'b', 'c'],
    faults: {
      accessTokenLifetimeS: 20, // so the margin is five seconds
      token: [{ mode: 'delay', ms: TOKEN_CALL_MS, times: 0, grantType: 'refresh_token' }],
    },
  });
  visitor = await site.signIn();
});
afterAll(() => site.close());

describe('a call every 100 ms, token calls of two seconds', () => {
  it(`${RENEWALS} renewals, and nobody waits for one`, async () => {
    site.sandbox.control.set({ oldAccessTokenDies: false });
    const answers = await callUntil(RENEWALS);
    const waited = [
      ...(await site.audit('refresh_waited')),
      ...(await site.audit('refresh_joined')),
    ];
    const [median, most] = [percentile(answers, 50), percentile(answers, 99)].map(Math.round);
    console.log(
      `${answers.length} calls, ${waited.length} waited; half within ${median} ms, 99 % within ${most} ms`,
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(waited).toEqual([]);
    expect(percentile(answers, 99)).toBeLessThan(TOKEN_CALL_MS / 4);
    expect(site.sandbox.control.state().counters.tokenByGrant.refresh_token).toBe(RENEWALS);
  });

  it('also where GetBill ends the old access token at once, but for the rest of the answer', async () => {
    site.sandbox.control.set({ oldAccessTokenDies: true });
    const answers = await callUntil(RENEWALS + 2);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(percentile(answers, 99)).toBeLessThan(TOKEN_CALL_MS / 4);
  });
});
