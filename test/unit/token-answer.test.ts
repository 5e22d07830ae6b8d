/// <reference types="jest" />
import { parseConfig } from '../../src/config/config.js';
import { GrantRefusedError, MisconfiguredError, UnavailableError, type AppError } from '../../src/errors.js';
import type { GrantType } from '../../src/events.js';
import { protocolParties } from '../../src/core/oauth/authorization.js';
import { judgeTokenAnswer } from '../../src/core/oauth/token-response.js';
import { tokenSetFromResponse, type TokenSet } from '../../src/core/oauth/token-set.js';

type Outcome = 'renewed' | 'refused' | 'misconfigured' | 'transient';

const { getbill } = parseConfig({
  GETBILL_CLIENT_ID: 'client-1',
  GETBILL_CLIENT_SECRET: 'client-secret-1',
  SESSION_SECRET: 's'.repeat(32),
  TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
});
const previous: TokenSet = {
  accessToken: 'old',
  refreshToken: 'old-refresh',
  scopes: ['company:read'],
  issuedAtMs: 0,
  expiresAtMs: 1,
  renewals: 0,
};

interface Given {
  status?: number;
  body: unknown;
  grantType?: GrantType;
}

async function judged({ status = 200, body, grantType = 'refresh_token' }: Given): Promise<TokenSet | AppError> {
  const answer = { status, body: typeof body === 'string' ? body : JSON.stringify(body) };
  try {
    const response = await judgeTokenAnswer(answer, { ...protocolParties(getbill), grantType });
    return tokenSetFromResponse(response, { sentAtMs: 0, requestedScopes: [], previous });
  } catch (error) {
    return error as AppError;
  }
}

function outcomeOf(result: TokenSet | AppError): Outcome | 'a bug' {
  if (result instanceof GrantRefusedError) return 'refused';
  if (result instanceof MisconfiguredError) return 'misconfigured';
  if (result instanceof UnavailableError) return 'transient';
  return result instanceof Error ? 'a bug' : 'renewed';
}

const good = { access_token: 'a', token_type: 'Bearer', expires_in: 3600, refresh_token: 'r' };

describe('[A18] what an answer of the token endpoint means', () => {
  it.each<[Outcome, string, Given]>([
    ['renewed', 'a whole answer', { body: good }],
    ['renewed', '201 with a whole answer', { status: 201, body: good }],
    ['renewed', 'token type "bearer"', { body: { ...good, token_type: 'bearer' } }],
    ['renewed', 'token type "BEARER"', { body: { ...good, token_type: 'BEARER' } }],
    ['renewed', 'no "expires_in"', { body: { ...good, expires_in: undefined } }],
    ['renewed', '"expires_in": null', { body: { ...good, expires_in: null } }],
    ['renewed', '"expires_in": "3600"', { body: { ...good, expires_in: '3600' } }],
    ['renewed', '"refresh_token": null', { body: { ...good, refresh_token: null } }],
    ['renewed', '"scope": null', { body: { ...good, scope: null } }],
    ['renewed', 'an "id_token" nobody asked for', { body: { ...good, id_token: 'not.a.jwt' } }],
    ['renewed', 'fields of a later version', { body: { ...good, created_at: 1, nested: { access_token: 'no' } } }],
    ['renewed', '"error": false in GetBill\'s way', { body: { ...good, error: false } }],
    ['renewed', '"error": null', { body: { ...good, error: null } }],

    ['transient', 'an empty body', { body: '' }],
    ['transient', 'HTML', { body: '<!doctype html><title>Attention required</title>' }],
    ['transient', 'half of a JSON text', { body: '{"access_token": "abc", "token_type":' }],
    ['transient', 'an array', { body: [good] }],
    ['transient', 'a string', { body: '"token"' }],
    ['transient', 'null', { body: 'null' }],
    ['transient', 'an empty object', { body: {} }],
    ['transient', 'the token in an envelope', { body: { error: false, data: good } }],
    ['transient', 'no "access_token"', { body: { ...good, access_token: undefined } }],
    ['transient', '"access_token": null', { body: { ...good, access_token: null } }],
    ['transient', '"access_token": ""', { body: { ...good, access_token: '' } }],
    ['transient', '"access_token" as an object', { body: { ...good, access_token: { a: 1 } } }],
    ['transient', '"access_token" as a number', { body: { ...good, access_token: 1 } }],
    ['transient', '"access_token" with a line break', { body: { ...good, access_token: 'a\r\nb' } }],
    ['transient', '"access_token" of more than 8 KiB', { body: { ...good, access_token: 'a'.repeat(8193) } }],
    ['transient', 'no "token_type"', { body: { ...good, token_type: undefined } }],
    ['transient', 'token type "mac"', { body: { ...good, token_type: 'mac' } }],
    ['transient', 'token type "dpop"', { body: { ...good, token_type: 'DPoP' } }],
    ['transient', 'token type as an array', { body: { ...good, token_type: ['Bearer'] } }],
    ['transient', '"expires_in": -5', { body: { ...good, expires_in: -5 } }],
    ['transient', '"expires_in": 0', { body: { ...good, expires_in: 0 } }],
    ['transient', '"expires_in": "abc"', { body: { ...good, expires_in: 'abc' } }],
    ['transient', '"expires_in": ""', { body: { ...good, expires_in: '' } }],
    ['transient', '"expires_in": "3600 s"', { body: { ...good, expires_in: '3600 s' } }],
    ['transient', '"expires_in": "-5"', { body: { ...good, expires_in: '-5' } }],
    ['transient', '"expires_in": 1e12', { body: { ...good, expires_in: 1e12 } }],
    ['transient', '"expires_in": true', { body: { ...good, expires_in: true } }],
    ['transient', '"expires_in": [3600]', { body: { ...good, expires_in: [3600] } }],
    ['transient', '"expires_in" as an object', { body: { ...good, expires_in: {} } }],
    ['transient', '"refresh_token": ""', { body: { ...good, refresh_token: '' } }],
    ['transient', '"refresh_token" as an object', { body: { ...good, refresh_token: {} } }],
    ['transient', '"scope" as an array', { body: { ...good, scope: ['company:read'] } }],

    ['refused', '400 invalid_grant', { status: 400, body: { error: 'invalid_grant' } }],
    ['refused', '401 invalid_grant', { status: 401, body: { error: 'invalid_grant' } }],
    ['refused', '200 invalid_grant', { status: 200, body: { error: 'invalid_grant' } }],
    ['refused', '401 invalid_request to a refresh', { status: 401, body: { error: 'invalid_request' } }],
    ['misconfigured', '401 invalid_request to a code', { status: 401, body: { error: 'invalid_request' }, grantType: 'authorization_code' }], // prettier-ignore
    ['misconfigured', '400 invalid_request to a refresh', { status: 400, body: { error: 'invalid_request' } }],
    ['misconfigured', '401 invalid_client', { status: 401, body: { error: 'invalid_client' } }],
    ['misconfigured', '400 invalid_scope', { status: 400, body: { error: 'invalid_scope' } }],
    ['misconfigured', '400 unauthorized_client', { status: 400, body: { error: 'unauthorized_client' } }],
    ['misconfigured', '400 unsupported_grant_type', { status: 400, body: { error: 'unsupported_grant_type' } }],
    ['misconfigured', '400 with an error of its own', { status: 400, body: { error: 'the_moon_is_wrong' } }],
    ['misconfigured', '200 with an error and tokens', { status: 200, body: { ...good, error: 'invalid_client' } }],
    ['misconfigured', '400 "Invalid_Grant", which is another code', { status: 400, body: { error: 'Invalid_Grant' } }],

    ['misconfigured', '404 with a page', { status: 404, body: '<h1>Not found</h1>' }],
    ['misconfigured', '403 from a firewall', { status: 403, body: '<h1>Attention required</h1>' }],
    ['misconfigured', '401 without an OAuth error', { status: 401, body: { error: true, message: 'invalid_grant' } }],
    ['misconfigured', '400 whose text alone says invalid_grant', { status: 400, body: 'invalid_grant' }],
    ['misconfigured', '400 with the error in an array', { status: 400, body: { error: ['invalid_grant'] } }],
    ['misconfigured', '405 with nothing', { status: 405, body: '' }],
    ['misconfigured', '302', { status: 302, body: '' }],
    ['misconfigured', '307 with a whole answer', { status: 307, body: good }],

    ['transient', '408', { status: 408, body: '' }],
    ['transient', '425', { status: 425, body: '' }],
    ['transient', '429', { status: 429, body: { error: 'invalid_grant' } }],
    ['transient', '500', { status: 500, body: '' }],
    ['transient', '500 invalid_grant', { status: 500, body: { error: 'invalid_grant' } }],
    ['transient', '502 with a page', { status: 502, body: '<h1>Bad gateway</h1>' }],
    ['transient', '503 with a whole answer', { status: 503, body: good }],
    ['transient', '400 server_error', { status: 400, body: { error: 'server_error' } }],
    ['transient', '400 temporarily_unavailable', { status: 400, body: { error: 'temporarily_unavailable' } }],
  ])('%s: %s', async (outcome, _what, given) => {
    expect(outcomeOf(await judged(given))).toBe(outcome);
  });

  it('takes the lifetime from a numeric string and none from nonsense', async () => {
    expect(await judged({ body: { ...good, expires_in: '120' } })).toMatchObject({ expiresAtMs: 120_000 });
    expect(await judged({ body: { ...good, expires_in: null } })).toMatchObject({ expiresAtMs: 3_600_000 });
  });

  it('keeps the old refresh token where the answer has none', async () => {
    expect(await judged({ body: { ...good, refresh_token: null } })).toMatchObject({ refreshToken: 'old-refresh' });
  });

  it('hands on how long to wait', async () => {
    const answer = { status: 503, body: '', retryAfterS: 17 };
    const judging = judgeTokenAnswer(answer, { ...protocolParties(getbill), grantType: 'refresh_token' });
    await expect(judging).rejects.toMatchObject({ retryAfterS: 17 });
  });

  it('says what an operator can do about a rejection, and shows no more than 64 characters of a foreign code', async () => {
    const known = (await judged({ status: 401, body: { error: 'invalid_client' } })) as AppError;
    expect(known.code).toBe('invalid_client');
    expect(known.hint).toContain('GETBILL_CLIENT_SECRET');
    const foreign = (await judged({ status: 400, body: { error: 'x'.repeat(9000) } })) as AppError;
    expect(foreign.code).toBe('token_request_rejected');
    expect(foreign.hint?.length).toBeLessThan(100);
    const inherited = (await judged({ status: 400, body: { error: 'constructor' } })) as AppError;
    expect(inherited.code).toBe('token_request_rejected');
  });

  it.each([good, { ...good, access_token: { CANARY: 1 } }, { access_token: 'CANARY', token_type: 'mac' }])(
    'never puts a token into an error',
    async (body) => {
      const result = await judged({ body: { ...body, refresh_token: 'CANARY', expires_in: 'CANARY' } });
      const shown = JSON.stringify([result, (result as Error).message, (result as Error).stack]);
      expect(result).toBeInstanceOf(UnavailableError);
      expect(shown).not.toContain('CANARY');
    },
  );
});
