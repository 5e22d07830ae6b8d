import { startInstallation, type Installation } from '../process/support/installation.js';
import { steadily } from '../process/support/steadily.js';

const RENEWALS = 10;

let site: Installation;
beforeAll(async () => {
  site = await startInstallation({
    processes: ['a', 'b'],
    faults: {
      accessTokenLifetimeS: 20, // so the margin is 5 s
      oldAccessTokenDies: false,
      token: [{ mode: 'delay', ms: 2_000, times: 0, grantType: 'refresh_token' }],
    },
    env: () => ({ GETBILL_TIMEOUT_MS: '10000' }),
  });
});
afterAll(() => site.close());

it('nobody waits: a call every 100 ms, 10 renewals of 2 s each, and no call has waited for one', async () => {
  const visitor = await site.signIn();
  const answers = await steadily(site, visitor, {
    everyMs: 100,
    enough: () => site.sandbox.control.state().counters.refreshOk === RENEWALS,
  });
  console.log(`${answers.length} calls, ${RENEWALS} renewals`);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(site.audit('refresh_waited')).toEqual([]);
  expect(site.audit('refresh_joined')).toEqual([]);
});
