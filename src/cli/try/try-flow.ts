import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/config.js';
import { createMemoryKeyValue, createOAuthClient } from '../../core/index.js';
import { explanationOf } from '../../oauth-explanations.js';
import { createUpstream, type Upstream } from '../../getbill/upstream.js';
import { examineApi } from '../doctor/api.js';
import { createAsk, type Ask } from '../doctor/ask.js';
import { examineAuthorization } from '../doctor/authorization.js';
import { tryAuthorization } from '../doctor/try-authorization.js';
import { exitCodes } from '../exit-codes.js';
import { openCallback } from './callback.js';
import type { Callback } from './callback-server.js';
import { complete, type Passed } from './complete.js';
import { STEPS, StepFailed } from './steps.js';

export interface TryOptions {
  readonly config: Config;
  readonly waitMs: number;
  /** A line of the report. */
  readonly print: (text: string) => void;
  readonly openBrowser: (url: string) => void;
  /** Asks for the address where the browser ended, when that is not on this machine. */
  readonly pasted: (closed: AbortSignal) => Promise<string>;
}

/**
 * The authorization code flow as GetBill's guide tests it, step by step. @returns the exit code.
 */
export async function tryFlow(options: TryOptions): Promise<number> {
  const { config, print } = options;
  const upstream = createUpstream({ config: config.getbill, emit: () => undefined });
  try {
    const { redirectUri } = await runSteps(options, upstream);
    // else an app runs there
    const next = redirectUri === config.getbill.redirectUri ? ' Now: npm start' : '';
    print(`\nThe authorization code flow works.${next}`);
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    const { cause, fix, exitCode } = error.reason;
    print(`fail  ${STEPS[error.step]}\n      cause: ${cause}\n      fix:   ${fix}`);
    return exitCode;
  } finally {
    await upstream.close();
  }
}

async function runSteps(options: TryOptions, upstream: Upstream): Promise<Callback> {
  const { config, print, openBrowser } = options;
  const passed: Passed = (step, detail) => print(`pass  ${STEPS[step].padEnd(21)} ${detail}`);

  const { timeoutMs } = config.getbill;
  const ask = createAsk({ upstream, timeoutMs, now: Date.now });
  const callback = await openCallback(config.getbill, { ask, pasted: options.pasted });
  try {
    const provider = { ...config.getbill, redirectUri: callback.redirectUri };
    await checkAuthorizationUrl({ ...config, getbill: provider }, ask);
    const client = createOAuthClient({
      provider,
      storage: createMemoryKeyValue({ now: Date.now }),
      encryptionKeys: [randomBytes(32)],
      send: upstream.send,
    });
    const binding = randomBytes(32).toString('base64url');
    const url = await client.signIn.start({ binding, returnTo: '/' });
    passed('authorizationUrl', 'open it in a browser:');
    print(`\n${url.href}\n\nwaiting at ${callback.redirectUri} (Ctrl-C ends)`);
    openBrowser(url.href);

    const response = await responseWithin(options.waitMs, callback);
    const { tokenSet } = await complete(
      client.signIn,
      { binding, response },
      config.getbill,
      passed,
    );
    const lifetimeS = Math.round((tokenSet.expiresAtMs - tokenSet.issuedAtMs) / 1000);
    const renewable = tokenSet.refreshToken === undefined ? 'no refresh token' : 'a refresh token';
    const missing = config.getbill.scopes.filter((scope) => !tokenSet.scopes.includes(scope));
    const without = missing.length === 0 ? '' : `; not granted: ${missing.join(' ')}`;
    passed('exchange', `an access token for ${lifetimeS} s, ${renewable}${without}`);
    await callApi(tokenSet.accessToken, { config, ask, passed }).finally(async () => {
      // revoked, where GETBILL_REVOKE_URL is set
      client.tokens.abandon('try', 'signed_out', tokenSet);
      await client.idle();
    });
    return callback;
  } finally {
    callback.close();
  }
}

async function checkAuthorizationUrl(config: Config, ask: Ask): Promise<void> {
  const asker = { config: config.getbill, ask };
  const outcome = await tryAuthorization(asker);
  const result = await examineAuthorization(outcome, asker, config.publicUrl);
  const code = outcome.kind === 'responded' ? (outcome.error ?? '') : '';
  const exit = outcome.kind === 'none' ? 'unavailable' : explanationOf(code)?.exit;
  const exitCode = exitCodes[exit ?? 'configuration'];
  if (result.verdict === 'fail') throw new StepFailed('authorizationUrl', { ...result, exitCode });
}

async function responseWithin(waitMs: number, callback: Callback): Promise<URLSearchParams> {
  const waited = delay(waitMs, undefined, { ref: false });
  const came = await Promise.race([callback.response(), waited]);
  if (came !== undefined) return came;
  throw new StepFailed('authorization', {
    cause: `no browser came back within ${Math.round(waitMs / 1000)} s`,
    fix: 'sign in and choose at GetBill; an error page there says why it does not send you back',
    exitCode: exitCodes.unavailable,
  });
}

async function callApi(
  accessToken: string,
  { config: { getbill }, ask, passed }: { config: Config; ask: Ask; passed: Passed },
): Promise<void> {
  const { scopes } = getbill; // those that were asked for: what was not granted is to be seen
  const { result, exit } = await examineApi(accessToken, { getbill, scopes, ask });
  if (result.verdict === 'pass') return passed('call', result.detail ?? '');
  throw new StepFailed('call', { ...result, exitCode: exitCodes[exit] });
}
