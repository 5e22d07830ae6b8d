/// <reference types="jest" />
import { createHash } from 'node:crypto';
import { parseConfig, type GetbillConfig } from '../../src/config/config.js';
import { SignInError } from '../../src/errors.js';
import {
  createAuthorizationRequest,
  stateOf,
  validateAuthorizationResponse,
} from '../../src/core/oauth/authorization.js';

const ISSUER = 'https://getbill.test';

function configWith(env: Record<string, string> = {}): GetbillConfig {
  return parseConfig({
    GETBILL_CLIENT_ID: 'client-1',
    GETBILL_CLIENT_SECRET: 'client-secret-1',
    SESSION_SECRET: 's'.repeat(32),
    TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
    GETBILL_BASE_URL: ISSUER,
    ...env,
  }).getbill;
}

const challengeOf = (codeVerifier: string): string =>
  createHash('sha256').update(codeVerifier).digest('base64url');

describe('an authorization request', () => {
  it('[A06] carries the S256 challenge of its verifier (RFC 7636 section 4.2, checked on appendix B)', async () => {
    expect(challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe(
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    );
    const { url, codeVerifier } = await createAuthorizationRequest(configWith());
    expect(codeVerifier).toMatch(/^[A-Za-z0-9\-._~]{43,128}$/);
    expect(url.searchParams.get('code_challenge')).toBe(challengeOf(codeVerifier));
    expect(url.searchParams.get('code_challenge_method')).toBe('S256');
    expect(url.href).not.toContain(codeVerifier);
  });

  it('[A07] has each parameter once and from the configuration, also beside a query of the URL itself', async () => {
    const { url, state } = await createAuthorizationRequest({
      ...configWith({ GETBILL_SCOPES: 'company:read debts:read' }),
      authorizeUrl: new URL(
        `${ISSUER}/oauth/authorize?locale=fr&scope=admin&state=fixed&client_id=other`,
      ),
    });
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      locale: 'fr',
      response_type: 'code',
      client_id: 'client-1',
      redirect_uri: 'http://localhost:3000/oauth/callback',
      scope: 'company:read debts:read',
      state,
    });
    const names = [...url.searchParams.keys()];
    expect(names).toEqual([...new Set(names)]);
  });

  it('[A03] has a state and a verifier of 256 bits that never repeat', async () => {
    const requests = await Promise.all(
      Array.from({ length: 200 }, () => createAuthorizationRequest(configWith())),
    );
    expect(new Set(requests.flatMap(({ state, codeVerifier }) => [state, codeVerifier])).size).toBe(
      400,
    );
    for (const { state } of requests) expect(state).toMatch(/^[\w-]{43}$/);
  });
});

describe('the state of a response', () => {
  it.each([
    ['code=c&state=s', 's'],
    ['state=s&error=access_denied&error_description=No', 's'],
    ['code=c&state=s&iss=https%3A%2F%2Fgetbill.test&session_state=x', 's'],
  ])('of %s is found', (query, state) => {
    expect(stateOf(new URLSearchParams(query))).toBe(state);
  });

  it('[A12] and an error may be 2 KB long and a code 8 KB, and none may be longer', () => {
    const [state, code] = ['x'.repeat(2048), 'x'.repeat(8192)];
    expect(stateOf(new URLSearchParams({ code, state }))).toBe(state);
    expect(stateOf(new URLSearchParams({ error: state, state }))).toBe(state);
    expect(() => stateOf(new URLSearchParams({ error: `${state}x`, state }))).toThrow(SignInError);
    expect(() => stateOf(new URLSearchParams({ code, state: `${state}x` }))).toThrow(SignInError);
    expect(() => stateOf(new URLSearchParams({ code: `${code}x`, state }))).toThrow(SignInError);
  });

  it.each([
    ['error=invalid_scope&error_description=Ask%20for%0d%0afewer', 'invalid_scope: Ask for fewer'],
    ['error=invalid_scope&state=a&state=b', 'invalid_scope'],
    ['error=access_denied&code=c&state=s', 'access_denied'],
    [
      'error=a_b&error_description=c0de-1+state-1&code=c0de-1&state=state-1',
      'a_b: [secret] [secret]',
    ],
    ['error_description=Ask+for+fewer&state=s', 'Ask for fewer'],
    ['code=c', undefined],
  ])(
    'missing or doubled is refused, with the reason that %s brings for the log',
    (query, serverSaid) => {
      const refused = expect.objectContaining({ code: 'callback_malformed', serverSaid }) as Error;
      expect(() => stateOf(new URLSearchParams(query))).toThrow(refused);
    },
  );

  it.each([
    '',
    'code=c',
    'state=s',
    'code=c&state=',
    'code=&state=s',
    'error=&state=s',
    'code=c&state[]=s',
    'code[]=c&state=s',
    'code=c&code=c&state=s',
    'code=c&state=s&state=s',
    'code=c&error=e&state=s',
    'error=e&error=e&state=s',
    'code=c&state=s&iss=a&iss=b',
    'code=%00&state=s',
    'code=c&state=s%0d%0a',
    'code=c&state=%C3%A9',
    'access_token=x&token_type=bearer',
    'access_token=x&token_type=bearer&state=s',
    'Code=c&State=s',
  ])('[A12] of "%s" is refused', (query) => {
    const refused = expect.objectContaining({ code: 'callback_malformed', status: 400 }) as Error;
    expect(() => stateOf(new URLSearchParams(query))).toThrow(refused);
    expect(() => stateOf(new URLSearchParams(query))).toThrow(SignInError);
  });
});

describe('an authorization response', () => {
  function codeOf(query: string, env: Record<string, string> = {}): string {
    try {
      const options = { provider: configWith(env), expectedState: 'good' };
      return `accepted ${validateAuthorizationResponse(new URLSearchParams(query), options).get('code') ?? ''}`;
    } catch (error) {
      if (error instanceof SignInError) return `${error.code} ${error.status}`;
      throw error;
    }
  }
  const issuer = { GETBILL_ISSUER: ISSUER };
  const iss = encodeURIComponent(ISSUER);

  it.each<[string, string, Record<string, string>?]>([
    ['accepted c', 'code=c&state=good'],
    ['accepted c', 'code=c&state=good&unknown=1&unknown=2'],
    ['accepted c', 'code=c&state=good&error=&error_description=&id_token=&token=&iss='],
    ['accepted c', 'code=&state=&code=c&state=good'],
    ['callback_malformed 400', 'code=c&state=bad'],
    ['callback_malformed 400', 'code=c&state=Good'],
    ['callback_malformed 400', 'code=c'],
    ['callback_malformed 400', 'code=c&state='],
    ['callback_malformed 400', 'code=c&state=good&state=good'],
    ['callback_malformed 400', 'error=access_denied&state=bad'],
    ['callback_malformed 400', 'code=c&state=good&id_token=x'],
    ['callback_malformed 400', 'code=c&state=good&response=x'],
  ])('is %s for %s', (outcome, query, env = {}) => {
    expect(codeOf(query, env)).toBe(outcome);
  });

  it.each<[string, string, Record<string, string>]>([
    ['accepted c', `code=c&state=good&iss=${iss}`, issuer],
    ['accepted c', 'code=c&state=good&iss=https%3A%2F%2Fid.test%2Fa', { GETBILL_ISSUER: 'https://id.test/a' }], // prettier-ignore
    ['callback_malformed 400', 'code=c&state=good', issuer],
    ['callback_malformed 400', 'code=c&state=good&iss=', issuer],
    ['callback_malformed 400', `code=c&state=good&iss=${iss}%2F`, issuer],
    ['callback_malformed 400', 'code=c&state=good&iss=https%3A%2F%2Fevil.test', issuer],
    ['callback_malformed 400', `error=access_denied&state=good`, issuer],
    ['authorization_access_denied 403', `error=access_denied&state=good&iss=${iss}`, issuer],
    ['accepted c', 'code=c&state=good&iss=https%3A%2F%2Fevil.test', {}],
    [
      'authorization_access_denied 403',
      'error=access_denied&state=good&iss=https%3A%2F%2Fevil.test',
      {},
    ],
  ])('[A14] is, by RFC 9207, %s for %s with %j', (outcome, query, env) => {
    expect(codeOf(query, env)).toBe(outcome);
  });

  it.each([
    ['access_denied', 'authorization_access_denied 403'],
    ['invalid_scope', 'authorization_invalid_scope 400'],
    ['unauthorized_client', 'authorization_unauthorized_client 400'],
    ['invalid_request', 'authorization_invalid_request 400'],
    ['server_error', 'authorization_server_error 400'],
    ['temporarily_unavailable', 'authorization_temporarily_unavailable 400'],
    ['invalid_client', 'authorization_invalid_client 400'],
    ['redirect_uri_mismatch', 'authorization_redirect_uri_mismatch 400'],
    ['unsupported_response_type', 'authorization_unsupported_response_type 400'],
    ['"><script>alert(1)</script>', 'authorization_failed 400'],
    ['constructor', 'authorization_failed 400'],
  ])('[A10] that says %s becomes %s', (error, outcome) => {
    expect(codeOf(new URLSearchParams({ error, state: 'good' }).toString())).toBe(outcome);
  });

  it.each(['good', 'bad'])(
    '[A11] leaves of the words of the server a short text for the log alone (state %s)',
    (state) => {
      const query = new URLSearchParams({
        error: 'e'.repeat(2000),
        error_description: 'd '.repeat(4000),
        error_uri: 'javascript:CANARY',
        state,
      });
      let thrown: unknown;
      try {
        validateAuthorizationResponse(query, { provider: configWith(), expectedState: 'good' });
      } catch (error) {
        thrown = error;
      }
      const { message, hint = '', code, cause, serverSaid = '' } = thrown as SignInError;
      expect(serverSaid).toMatch(/^e{64}: (d ){90,}d?$/);
      expect(serverSaid.length).toBeLessThanOrEqual(266);
      expect([message, code, hint, serverSaid].join()).not.toContain('CANARY');
      expect(message + hint).not.toMatch(/eee|d d d/);
      expect(cause).toBeUndefined();
    },
  );
});
