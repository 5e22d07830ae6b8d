import { experiments } from '../../sandbox/experiments.js';
import { panelState } from '../../sandbox/panel.js';
import { createBrowser } from '../support/browser.js';
import {
  startTestApp,
  SESSION_SECRET,
  TOKEN_ENCRYPTION_KEY,
  type TestApp,
} from '../support/test-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ faults: { revocation: true } });
});
afterAll(() => app.close());

it('the panel holds no token, code, verifier or state, whatever was sent', async () => {
  const { sandbox } = app;
  const browser = createBrowser({ origin: app.origin, publicUrl: app.publicUrl });
  await browser.signIn();
  await browser.get('/dashboard');
  sandbox.control.expireAccessTokens();
  await browser.get('/api/company/profile');
  await fetch(`${sandbox.origin}/external-api/v1/debts?access_token=CANARY-token&code=CANARY-code`);

  const secrets = sandbox.control
    .requests()
    .flatMap(({ url, body, rawHeaders }) => [
      ...['code', 'code_verifier', 'refresh_token'].map((name) =>
        new URLSearchParams(body).get(name),
      ),
      ...['state', 'code_challenge'].map((name) =>
        new URL(url, sandbox.origin).searchParams.get(name),
      ),
      ...rawHeaders.filter((value) => value.startsWith('Bearer ')).map((value) => value.slice(7)),
    ]);
  const found = new Set(secrets.filter((secret) => secret !== null));
  expect(found.size).toBeGreaterThanOrEqual(7); // code, verifier, state, challenge, 2 access tokens, refresh token
  const control = createBrowser({ origin: sandbox.origin, publicUrl: sandbox.origin });
  for (const path of ['/', '/_sandbox/panel', '/_sandbox/state']) {
    const { text } = await control.get(path);
    for (const secret of [...found, SESSION_SECRET, TOKEN_ENCRYPTION_KEY, 'CANARY'])
      expect([path, text.includes(secret)]).toEqual([path, false]);
  }
});

it('every button plants what its words say, for the next call, some, or until it is removed', () => {
  const { control } = app.sandbox;
  for (const { buttons = [] } of experiments) {
    for (const { label, queue, fault } of buttons) {
      for (const [times, words] of [
        [1, ''],
        [3, ' (next 3 calls)'],
        [0, ' (until removed)'],
      ] as const) {
        control.set({ [queue]: [{ ...fault, times }] });
        const [waiting] = panelState(control).waiting;
        expect(waiting).toMatchObject({ queue, index: 0 });
        expect(waiting?.text.endsWith(`: ${label}${words}`)).toBe(true);
      }
      control.reset();
    }
  }
});
