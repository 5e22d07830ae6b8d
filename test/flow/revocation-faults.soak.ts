import { faultsSchema, type RevokeFault } from '../../sandbox/faults.js';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { until } from '../support/until.js';
import type { TestApp } from '../support/test-app.js';
import { linesOf, startWatchedApp, stepsOf } from './support/watched-app.js';

let sandbox: Sandbox;
let app: TestApp;
beforeAll(async () => {
  sandbox = await startSandbox({ faults: { consent: 'auto', revocation: true } });
  app = await startWatchedApp({
    sandbox,
    env: { GETBILL_REVOKE_URL: `${sandbox.origin}/oauth/revoke`, GETBILL_TIMEOUT_MS: '1000' },
  });
});
afterAll(async () => {
  await app.close();
  await sandbox.close();
});
afterEach(() => sandbox.control.reset());

/** What the flow shows of a sign-out, once the revocation has ended. */
async function linesOfSignOut(faults: RevokeFault[], { revocation = true } = {}) {
  const browser = app.browser();
  await browser.signIn();
  const after = (await stepsOf(browser)).at(-1)?.number ?? 0;
  sandbox.control.set({ revocation, revokeFault: faults });
  expect((await browser.signOut()).status).toBe(303);
  await until('the revocation has ended', async () =>
    /(Revoked at|Not revoked)/.test((await browser.get(`/flow/steps?after=${after}`)).text),
  );
  return linesOf(await stepsOf(browser, { after }));
}

/** The refresh token, which is tried twice. */
const ALWAYS = { times: 2 };

it('a sign-out shows that both tokens were revoked', async () => {
  const lines = await linesOfSignOut([]);
  expect(lines.filter((line) => line === 'app -> getbill Revocation')).toHaveLength(2);
  expect(lines).toContain('note Revoked at GetBill');
});

const cases: [RevokeFault[], { revocation?: boolean }, RegExp][] = [
  [[{ mode: 'status', status: 503, ...ALWAYS }], {}, /503 Service Unavailable/],
  [[{ mode: 'status', status: 429, retryAfterS: 1, ...ALWAYS }], {}, /429 Too Many Requests/],
  [[{ mode: 'html', status: 502, ...ALWAYS }], {}, /502 Bad Gateway/],
  [[{ mode: 'hang', ...ALWAYS }], {}, /No response in time/],
  [[], { revocation: false }, /404 Not Found/],
];

it('every fault of revocation has a case here', () => {
  const modes = faultsSchema.shape.revokeFault.element.options.map(({ shape }) => shape.mode.value);
  expect(new Set(cases.flatMap(([faults]) => faults.map(({ mode }) => mode)))).toEqual(
    new Set(modes),
  );
});

it.each(cases)(
  '%j %j: the request, how it ended, what was decided',
  async (faults, options, end) => {
    const lines = await linesOfSignOut(faults, options);
    const asked = lines.indexOf('app -> getbill Revocation');
    expect(lines.slice(asked + 1)).toContainEqual(expect.stringMatching(end));
    expect(lines).toContain('note Not revoked: both tries failed');
    expect(lines).toContain('note Session ended: signed out');
  },
);

it('one that fails once is tried again, and the flow shows both', async () => {
  const lines = await linesOfSignOut([{ mode: 'status', status: 503 }]);
  expect(lines.filter((line) => line === 'app -> getbill Revocation')).toHaveLength(3);
  expect(lines).toContainEqual(expect.stringMatching(/503 Service Unavailable/));
  expect(lines).toContain('note Revoked at GetBill');
});
