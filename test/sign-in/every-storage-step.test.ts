/// <reference types="jest" />
import type { KeyValue } from '../../src/core/storage/key-value.js';
import { StorageError } from '../../src/errors.js';
import { grantIdOf } from '../../src/web/session/session.js';
import type { Answer, Browser } from '../support/browser.js';
import { callbackFor, codeCalls, isSignedIn, sessionIdOf } from '../support/sign-in.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

jest.setTimeout(60_000);

let base: TestApp;
let app: TestApp;
let real: KeyValue;
beforeAll(async () => {
  base = await startTestApp({ faults: { revocation: true } });
  const env = { GETBILL_REVOKE_URL: `${base.sandbox.origin}/oauth/revoke` };
  app = await startTestApp({ env, sandbox: base.sandbox });
  real = { ...app.services.keyValue };
});
afterAll(async () => {
  await app.close();
  await base.close();
});

/** How one command fails: before or after it took effect, or it is sent again because its first reply was lost. */
type Fault = 'before' | 'after' | 'twice';

type Command = (...args: unknown[]) => Promise<unknown>;

/** Runs `action` with its command number `at` failing. `command`: its name, `undefined` where there were fewer. */
async function withFault(at: number, fault: Fault, action: () => Promise<Answer>) {
  const commands: string[] = [];
  for (const [name, command] of Object.entries(real) as [string, Command][]) {
    const faulty = async (...args: unknown[]) => {
      commands.push(`${name} ${String(args[0]).split(':')[0] ?? ''}`);
      if (commands.length !== at) return await command(...args);
      if (fault !== 'before') await command(...args);
      if (fault !== 'twice') throw new StorageError(new Error('stalled'));
      return await command(...args);
    };
    Object.assign(app.services.keyValue, { [name]: faulty });
  }
  try {
    const answer = await action();
    await app.services.tokens.idle();
    return { answer, command: commands[at - 1] };
  } finally {
    Object.assign(app.services.keyValue, real);
  }
}

const respondWith = (name: string): void => {
  const body = JSON.stringify({ access_token: `at-${name}`, refresh_token: `rt-${name}`, token_type: 'Bearer', expires_in: 3600 }); // prettier-ignore
  app.sandbox.control.set({
    token: [{ mode: 'rawBody', status: 200, contentType: 'application/json', body, times: 0 }],
  });
};

const revoked = (): string[] =>
  app.sandbox.control
    .requests()
    .filter(({ url }) => url.startsWith('/oauth/revoke'))
    .map(({ body }) => new URLSearchParams(body).get('token') ?? '');

async function signedInAs(name: string): Promise<Browser> {
  respondWith(name);
  const browser = app.browser();
  await browser.get(callbackFor(await browser.startLogin()));
  app.sandbox.control.reset();
  app.sandbox.control.clearRequests();
  return browser;
}

/** The access token that this browser's session gives, `undefined` where the session or its grant is gone. */
async function heldBy(browser: Browser): Promise<string | undefined> {
  if (!(await isSignedIn(browser))) return undefined;
  const grantId = grantIdOf(sessionIdOf(browser));
  return await app.services.tokens.fresh(grantId).then(
    ({ accessToken }) => accessToken,
    () => undefined,
  );
}

const tokensOf = (name: string): string[] => [`rt-${name}`, `at-${name}`];

describe.each<Fault>(['before', 'after', 'twice'])('a storage command that fails (%s)', (fault) => {
  it('in a second sign-in leaves one whole session, and every token of the other revoked', async () => {
    for (let at = 1; ; at += 1) {
      const browser = await signedInAs('first');
      const { location = '' } = await browser.get('/login?again=1&returnTo=%2Fdebts');
      respondWith('second');
      const callback = callbackFor(location);
      const { answer, command } = await withFault(at, fault, () => browser.get(callback));
      if (command === undefined) break;
      const isNew = answer.location === '/debts';
      const isExchanged = codeCalls(app.sandbox) > 0;
      const ended = isNew ? tokensOf('first') : isExchanged ? tokensOf('second') : [];
      expect({ command, held: await heldBy(browser), revoked: revoked() }).toEqual({ command, held: isNew ? 'at-second' : 'at-first', revoked: ended }); // prettier-ignore
      expect([command, answer.setCookies.length]).toEqual([command, isNew ? 1 : 0]);
    }
  });

  it('in a sign-out leaves the session whole, or its tokens revoked, and can be repeated', async () => {
    for (let at = 1; ; at += 1) {
      const browser = await signedInAs('first');
      const headers = { 'x-csrf-token': await browser.csrfToken() };
      const signOut = () => browser.send('POST', '/logout', { headers });
      const { answer, command } = await withFault(at, fault, signOut);
      if (command === undefined) break;
      const held = await heldBy(browser);
      if (held === undefined) expect([command, revoked()]).toEqual([command, tokensOf('first')]);
      if (answer.status === 303) expect([command, held]).toEqual([command, undefined]);
      expect([command, (await signOut()).location]).toEqual([command, '/']);
      await app.services.tokens.idle();
      expect([command, await isSignedIn(browser), revoked()]).toEqual([command, false, tokensOf('first')]); // prettier-ignore
    }
  });
});
