/// <reference types="jest" />
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import {
  GrantRefusedError,
  MisconfiguredError,
  UnavailableError,
  type AppError,
} from '../../src/errors.js';
import type { GrantType } from '../../src/events.js';
import type { HttpResponse } from '../../src/core/oauth/token-response.js';
import { responseText } from '../../src/getbill/response-text.js';
import { judgeTokenResponse, type Judgement } from '../../src/core/oauth/token-response.js';
import { tokenSetFromResponse, type TokenSet } from '../../src/core/oauth/token-set.js';

type Outcome = 'renewed' | 'refused' | 'misconfigured' | 'transient';

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

const judge = (response: HttpResponse, grantType: GrantType = 'refresh_token'): Judgement =>
  judgeTokenResponse(response, { grantType, nowMs: 0, secrets: ['CANARY-secret'] });

function judged({ status = 200, body, grantType = 'refresh_token' }: Given): TokenSet | AppError {
  const judgement = judge(
    { status, body: typeof body === 'string' ? body : JSON.stringify(body) },
    grantType,
  );
  if (judgement.outcome !== 'ok') return judgement.error;
  return tokenSetFromResponse(judgement.token ?? { access_token: '' }, {
    sentAtMs: 0,
    requestedScopes: [],
    previous,
  });
}

function outcomeOf(result: TokenSet | AppError): Outcome | 'a bug' {
  if (result instanceof GrantRefusedError) return 'refused';
  if (result instanceof MisconfiguredError) return 'misconfigured';
  if (result instanceof UnavailableError) return 'transient';
  return result instanceof Error ? 'a bug' : 'renewed';
}

const good = { access_token: 'a', token_type: 'Bearer', expires_in: 3600, refresh_token: 'r' };
const LONG = JSON.stringify({ ...good, note: 'x'.repeat(65_536) });

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
    ['renewed', '"scope": ""', { body: { ...good, scope: '' } }],
    ['renewed', '"scope" as an array', { body: { ...good, scope: ['company:read'] } }],
    ['renewed', '"refresh_token": ""', { body: { ...good, refresh_token: '' } }],
    ['renewed', '"expires_in": "3600.0"', { body: { ...good, expires_in: '3600.0' } }],
    ['renewed', '"refresh_token": false', { body: { ...good, refresh_token: false } }],
    ['renewed', '"scope": false', { body: { ...good, scope: false } }],
    ['renewed', '"expires_in": false', { body: { ...good, expires_in: false } }],
    ['renewed', '"expires_in": 2147483647', { body: { ...good, expires_in: 2_147_483_647 } }],
    ['renewed', 'token type "BearerToken"', { body: { ...good, token_type: 'BearerToken' } }],
    ['renewed', 'a byte order mark before the JSON', { body: `\ufeff${JSON.stringify(good)}` }],
    [
      'renewed',
      'an "error" beside the tokens that is no OAuth error',
      { body: { ...good, error: 'none' } },
    ],
    ['renewed', 'an "id_token" nobody asked for', { body: { ...good, id_token: 'not.a.jwt' } }],
    [
      'renewed',
      'fields of a later version',
      { body: { ...good, created_at: 1, nested: { access_token: 'no' } } },
    ],
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
    [
      'transient',
      '"access_token" with a line break',
      { body: { ...good, access_token: 'a\r\nb' } },
    ],
    [
      'transient',
      '"access_token" of more than 8 KiB',
      { body: { ...good, access_token: 'a'.repeat(8193) } },
    ],
    ['transient', 'no "token_type"', { body: { ...good, token_type: undefined } }],
    ['transient', 'token type "mac"', { body: { ...good, token_type: 'mac' } }],
    ['transient', 'token type "Bearers"', { body: { ...good, token_type: 'Bearers' } }],
    ['transient', '"refresh_token": true', { body: { ...good, refresh_token: true } }],
    ['transient', 'token type "dpop"', { body: { ...good, token_type: 'DPoP' } }],
    ['transient', 'token type as an array', { body: { ...good, token_type: ['Bearer'] } }],
    ['transient', '"expires_in": -5', { body: { ...good, expires_in: -5 } }],
    ['transient', '"expires_in": 0', { body: { ...good, expires_in: 0 } }],
    ['transient', '"expires_in": "abc"', { body: { ...good, expires_in: 'abc' } }],
    ['transient', '"expires_in": ""', { body: { ...good, expires_in: '' } }],
    ['transient', '"expires_in": "3600 s"', { body: { ...good, expires_in: '3600 s' } }],
    ['transient', '"expires_in": "-5"', { body: { ...good, expires_in: '-5' } }],
    ['transient', '"expires_in": "0x10"', { body: { ...good, expires_in: '0x10' } }],
    ['transient', '"expires_in": 1e12', { body: { ...good, expires_in: 1e12 } }],
    ['transient', '"expires_in": 1e10', { body: { ...good, expires_in: 1e10 } }],
    ['transient', '"expires_in": true', { body: { ...good, expires_in: true } }],
    ['transient', '"expires_in": [3600]', { body: { ...good, expires_in: [3600] } }],
    ['transient', '"expires_in" as an object', { body: { ...good, expires_in: {} } }],
    ['transient', '"refresh_token" as an object', { body: { ...good, refresh_token: {} } }],
    ['transient', '"scope" as an object', { body: { ...good, scope: { a: 1 } } }],
    ['transient', '"scope" as a list of numbers', { body: { ...good, scope: [1, 2] } }],

    ['refused', '400 invalid_grant', { status: 400, body: { error: 'invalid_grant' } }],
    ['refused', '400 invalid_grant, nested as some gateways do', { status: 400, body: { error: { code: 'invalid_grant', message: 'expired' } } }], // prettier-ignore
    ['misconfigured', '400 invalid_client, nested', { status: 400, body: { error: { code: 'invalid_client' } } }], // prettier-ignore
    ['transient', '400 server_error, nested', { status: 400, body: { error: { code: 'server_error' } } }], // prettier-ignore
    ['misconfigured', '400 with a nested number for a code', { status: 400, body: { error: { code: 400, message: 'invalid_grant' } } }], // prettier-ignore
    ['transient', '200 with an empty "error" and no token', { body: { error: '' } }],
    ['misconfigured', '400 invalid_token to a refresh', { status: 400, body: { error: 'invalid_token' } }], // prettier-ignore
    ['renewed', 'a whole answer beside an empty nested error', { body: { ...good, error: {} } }],
    ['refused', '401 invalid_grant', { status: 401, body: { error: 'invalid_grant' } }],
    ['refused', '200 invalid_grant', { status: 200, body: { error: 'invalid_grant' } }],
    ['refused', '400 invalid_request to a code', { status: 400, body: { error: 'invalid_request' }, grantType: 'authorization_code' }], // prettier-ignore
    [
      'refused',
      '401 invalid_request to a refresh',
      { status: 401, body: { error: 'invalid_request' } },
    ],
    ['misconfigured', '401 invalid_request to a code', { status: 401, body: { error: 'invalid_request' }, grantType: 'authorization_code' }], // prettier-ignore
    [
      'misconfigured',
      '400 invalid_request to a refresh',
      { status: 400, body: { error: 'invalid_request' } },
    ],
    ['misconfigured', '401 invalid_client', { status: 401, body: { error: 'invalid_client' } }],
    ['misconfigured', '400 invalid_scope', { status: 400, body: { error: 'invalid_scope' } }],
    [
      'misconfigured',
      '400 unauthorized_client',
      { status: 400, body: { error: 'unauthorized_client' } },
    ],
    [
      'misconfigured',
      '400 unsupported_grant_type',
      { status: 400, body: { error: 'unsupported_grant_type' } },
    ],
    [
      'misconfigured',
      '400 with an error of its own',
      { status: 400, body: { error: 'the_moon_is_wrong' } },
    ],
    [
      'misconfigured',
      '200 with an error and tokens',
      { status: 200, body: { ...good, error: 'invalid_client' } },
    ],
    [
      'misconfigured',
      '200 with an error of its own and no token',
      { status: 200, body: { error: 'bad_refresh_token' } },
    ],
    [
      'misconfigured',
      '400 "Invalid_Grant", which is another code',
      { status: 400, body: { error: 'Invalid_Grant' } },
    ],

    [
      'misconfigured',
      '404 whose JSON has an "error"',
      { status: 404, body: { error: 'Not Found' } },
    ],
    [
      'misconfigured',
      '403 whose JSON has an "error"',
      { status: 403, body: { error: 'Forbidden' } },
    ],
    ['misconfigured', '404 with a page', { status: 404, body: '<h1>Not found</h1>' }],
    ['misconfigured', '403 from a firewall', { status: 403, body: '<h1>Attention required</h1>' }],
    [
      'misconfigured',
      '401 without an OAuth error',
      { status: 401, body: { error: true, message: 'invalid_grant' } },
    ],
    [
      'misconfigured',
      '400 whose text alone says invalid_grant',
      { status: 400, body: 'invalid_grant' },
    ],
    [
      'misconfigured',
      '400 with the error in an array',
      { status: 400, body: { error: ['invalid_grant'] } },
    ],
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
    [
      'transient',
      '400 temporarily_unavailable',
      { status: 400, body: { error: 'temporarily_unavailable' } },
    ],
  ])('%s: %s', (outcome, _what, given) => {
    expect(outcomeOf(judged(given))).toBe(outcome);
  });

  it.each<[Judgement['outcome'], number, string]>([
    ['ok', 400, 'invalid_token'],
    ['ok', 400, 'invalid_grant'],
    ['misconfigured', 401, 'invalid_token'], // an API that was sent no token says so, too
    ['misconfigured', 400, 'invalid_client'],
    ['misconfigured', 400, 'invalid_request'],
    ['ok', 200, 'none'],
    ['transient', 503, 'invalid_token'],
  ])('is %s for a revocation that is answered %d %s', (outcome, status, error) => {
    const response = { status, body: JSON.stringify({ error }) };
    expect(judge(response, 'revocation').outcome).toBe(outcome);
  });

  it('takes the lifetime from a numeric string and none from nonsense', () => {
    expect(judged({ body: { ...good, expires_in: '120' } })).toMatchObject({
      expiresAtMs: 120_000,
    });
    expect(judged({ body: { ...good, expires_in: null } })).toMatchObject({
      expiresAtMs: 3_600_000,
    });
  });

  it('keeps the old refresh token where the answer has none', () => {
    expect(judged({ body: { ...good, refresh_token: null } })).toMatchObject({
      refreshToken: 'old-refresh',
    });
  });

  it.each(['null', 'NULL', 'None', 'undefined', 'false'])(
    'takes the text "%s" for a parameter that is absent, and for no token and no scope',
    (text) => {
      const body = { ...good, refresh_token: text, scope: text, expires_in: text };
      expect(judged({ body })).toMatchObject({
        refreshToken: 'old-refresh',
        scopes: ['company:read'],
        expiresAtMs: 3_600_000,
      });
      const noToken = judged({ body: { ...good, access_token: text } });
      expect(noToken).toMatchObject({ code: 'token_answer_unusable' });
    },
  );

  it.each<[number, string]>([
    [17, '17'],
    [30, 'Thu, 01 Jan 1970 00:00:30 GMT'],
  ])('hands on how long to wait: %d s for %s', (seconds, header) => {
    const judgement = judge({ status: 503, headers: { 'retry-after': header }, body: '' });
    expect(judgement).toMatchObject({ outcome: 'transient', error: { retryAfterS: seconds } });
  });

  it('counts a date to wait for from the date of the response, whatever our clock says', () => {
    const headers = {
      date: 'Mon, 01 Jun 2026 12:00:00 GMT',
      'retry-after': 'Mon, 01 Jun 2026 12:00:30 GMT',
    };
    expect(judge({ status: 503, headers, body: '' })).toMatchObject({ error: { retryAfterS: 30 } });
  });

  it.each<[string, unknown, TokenSet['scopes']]>([
    ['by spaces', ' a  b ', ['a', 'b']],
    ['by commas', 'a,b, c', ['a', 'b', 'c']],
    ['by semicolons', 'a;b; c', ['a', 'b', 'c']],
    ['by plus signs, as a form writes spaces', 'a:x+b:y', ['a:x', 'b:y']],
    ['by spaces as a URL writes them', 'a:x%20b:y', ['a:x', 'b:y']],
    ['as JSON in a text', '["a:x","b:y"]', ['a:x', 'b:y']],
    ['as an array', ['a', 'b'], ['a', 'b']],
    ['as an array of lists', ['a b', 'c,a'], ['a', 'b', 'c']],
    ['empty, so as before', '', ['company:read']],
    ['blank, so as before', ' , ', ['company:read']],
    ['as an empty array, so as before', [], ['company:read']],
  ])('reads a list of scopes that is separated %s', (_what, scope, scopes) => {
    expect(judged({ body: { ...good, scope } })).toMatchObject({ scopes });
  });

  it('takes a scope in another case for the one that was asked for, and no other', () => {
    const scope = 'COMPANY:READ company:read Debts:Read';
    expect(judged({ body: { ...good, scope } })).toMatchObject({
      scopes: ['company:read', 'Debts:Read'],
    });
  });

  it('hands on what the server said in a nested error', () => {
    const error = { code: 'invalid_grant', message: 'expired' };
    const judgement = judge({ status: 400, body: JSON.stringify({ error }) });
    expect(judgement.serverSaid).toBe('invalid_grant: expired');
  });

  it('keeps of ten thousand scopes the expected ones and a few dozen more, and none that is a text of its own', () => {
    const scope = [
      ...Array.from({ length: 10_000 }, (_, index) => `s${index}`),
      'company:read',
      'x'.repeat(200),
    ];
    const { scopes } = judged({ body: { ...good, scope: scope.join(' ') } }) as TokenSet;
    expect(scopes).toHaveLength(64);
    expect(scopes[0]).toBe('company:read');
    expect(scopes.every((name) => name.length <= 128)).toBe(true);
  });

  it.each<[unknown, number]>([
    ['3600', 3600],
    [' 3600 ', 3600],
    ['3600.0', 3600],
    ['0.5', 0.5],
    ['1.5552E7', 15_552_000], // as Java writes a double
    [3600.0, 3600],
  ])('reads a lifetime of %j', (expires_in, seconds) => {
    expect(judged({ body: { ...good, expires_in } })).toMatchObject({
      expiresAtMs: seconds * 1000,
    });
  });

  it.each<[string, (text: Buffer) => Buffer, Record<string, string>]>([
    ['gzip', gzipSync, { 'content-encoding': 'gzip' }],
    ['x-gzip', gzipSync, { 'content-encoding': 'X-GZip' }],
    ['br', brotliCompressSync, { 'content-encoding': 'br' }],
    ['deflate', deflateSync, { 'content-encoding': 'deflate' }],
    ['deflate without the zlib header', deflateRawSync, { 'content-encoding': 'deflate' }],
    [
      'two encodings',
      (text) => gzipSync(deflateSync(text)),
      { 'content-encoding': 'deflate, gzip' },
    ],
    [
      'two encodings in two lines',
      (text) => gzipSync(deflateSync(text)),
      { 'content-encoding': ['deflate', 'gzip'] as never },
    ],
    [
      'a UTF-8 byte order mark',
      (text) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), text]),
      {},
    ],
    ['UTF-16 with its mark', (text) => Buffer.from(`\ufeff${text.toString()}`, 'utf16le'), {}],
    ['UTF-16 by charset', (text) => Buffer.from(text.toString(), 'utf16le'), { 'content-type': 'application/json; charset=utf-16le' }], // prettier-ignore
    ['UTF-16 with the high byte first and its mark', (text) => Buffer.from(`\ufeff${text.toString()}`, 'utf16le').swap16(), {}], // prettier-ignore
    ['UTF-16 with the high byte first, without a mark', (text) => Buffer.from(text.toString(), 'utf16le').swap16(), { 'content-type': 'application/json; charset=utf-16' }], // prettier-ignore
    ['UTF-8 that calls itself UTF-16', (text) => text, { 'content-type': 'application/json; charset=utf-16' }], // prettier-ignore
    ['an unknown charset', (text) => text, { 'content-type': 'application/json; charset=martian' }],
  ])('is read when it comes as %s, though nobody asked for it', (_what, encode, headers) => {
    const body = responseText(headers, encode(Buffer.from(JSON.stringify(good))));
    expect(judge({ status: 200, headers, body })).toMatchObject({
      outcome: 'ok',
      token: { access_token: 'a' },
    });
    const refusal = responseText(headers, encode(Buffer.from('{"error":"invalid_grant"}')));
    expect(judge({ status: 400, headers, body: refusal }).outcome).toBe('refused');
  });

  it.each<[string, Buffer, string]>([
    ['an encoding nobody knows', Buffer.from('{}'), 'zstd'],
    ['a broken one', Buffer.from('{"access_token":"a"}'), 'gzip'],
    ['a bomb', gzipSync(Buffer.alloc(50_000_000, ' ')), 'gzip'],
    ['more than 64 KiB by gzip', gzipSync(LONG), 'gzip'],
    ['more than 64 KiB by br', brotliCompressSync(LONG), 'br'],
    ['more than 64 KiB by deflate', deflateSync(LONG), 'deflate'],
    ['more than 64 KiB by raw deflate', deflateRawSync(LONG), 'deflate'],
  ])('is unusable in %s', (_what, body, encoding) => {
    const headers = { 'content-encoding': encoding };
    const judgement = judge({ status: 200, headers, body: responseText(headers, body) });
    expect(judgement).toMatchObject({
      outcome: 'transient',
      error: { code: 'token_answer_unusable' },
    });
  });

  it('keeps the words of the server for the log: one short line without control characters or secrets', () => {
    const error_description = `no\u001b[31m\r\n{"forged":1}\u202e CANARY-secret CANARY%2Dsecret ${'d'.repeat(5000)}`;
    const { serverSaid = '', ...judgement } = judge({ status: 400, body: JSON.stringify({ error: 'invalid_scope', error_description }) }); // prettier-ignore
    expect(serverSaid).toMatch(/^invalid_scope: no \[31m \{"forged":1\} \[secret\] /);
    expect(serverSaid.length).toBeLessThan(280);
    expect(serverSaid).not.toContain('CANARY-secret');
    expect(judgement).toMatchObject({ error: { serverSaid, hint: undefined } });
  });

  it('hides what may be a token of somebody in the words of the server, and keeps its error codes', () => {
    const error_description = 'The token eyJhbGciOiJub25lIn0.CANARY0123456789 is dead';
    const body = JSON.stringify({ error: 'unsupported_grant_type', error_description });
    expect(judge({ status: 400, body }).serverSaid).toBe(
      'unsupported_grant_type: The token [hidden] is dead',
    );
  });

  it.each<[string, unknown, string | undefined]>([
    ['beside an OAuth error', { error: 'invalid_request', message: 'It is dead.' }, 'invalid_request: It is dead.'], // prettier-ignore
    ["in the envelope of GetBill's API", { error: true, message: 'Client is inactive', code: 400 }, 'Client is inactive'], // prettier-ignore
    ['but not beside "error_description"', { error: 'invalid_scope', error_description: 'No.', message: 'Oh' }, 'invalid_scope: No.'], // prettier-ignore
    ['but not of a success', { error: false, message: 'Success' }, undefined],
  ])('takes a "message" for the words of the server %s', (_what, body, said) => {
    expect(judge({ status: 400, body: JSON.stringify(body) }).serverSaid).toBe(said);
  });

  it.each<[string, number, string, GrantType?]>([
    ['invalid_request', 400, 'invalid_request'],
    ['invalid_client', 401, 'invalid_client'],
    ['unauthorized_client', 400, 'unauthorized_client'],
    ['unsupported_grant_type', 400, 'unsupported_grant_type'],
    ['invalid_scope', 400, 'invalid_scope'],
    ['unsupported_token_type', 400, 'unsupported_token_type', 'revocation'],
    ['redirect_uri_mismatch', 400, 'redirect_uri_mismatch', 'authorization_code'],
    ['grant_refused', 400, 'invalid_grant'],
    ['token_request_rejected', 400, 'invalid_grant', 'client_credentials'],
    ['token_request_rejected', 200, 'bad_refresh_token'],
    ['token_request_rejected', 400, 'constructor'],
    ['token_request_rejected', 401, 'bad_refresh_token'],
    ['token_endpoint_misconfigured', 403, 'Forbidden'],
    ['token_endpoint_busy', 503, 'Maintenance'],
    ['token_endpoint_limited', 429, 'slow_down'],
  ])(
    'has the code %s, and the words of the server, for %d %s',
    (code, status, error, grantType = 'refresh_token') => {
      const judgement = judge({ status, body: JSON.stringify({ error }) }, grantType);
      expect(judgement).toMatchObject({ serverSaid: error, error: { code, serverSaid: error } });
    },
  );

  it.each([
    [400, {}],
    [400, { error: true, message: 'Client is inactive' }],
    [401, '<h1>Unauthorized</h1>'],
  ])('is not an OAuth error for %d %j', (status, body) => {
    expect(judged({ status, body })).toMatchObject({ code: 'token_endpoint_misconfigured' });
  });

  it('shows no more than 64 characters of a foreign code', () => {
    const foreign = judged({ status: 400, body: { error: 'x'.repeat(9000) } }) as AppError;
    expect(foreign.code).toBe('token_request_rejected');
    expect(foreign.serverSaid?.length).toBe(64);
  });

  it.each([
    good,
    { ...good, access_token: { CANARY: 1 } },
    { access_token: 'CANARY', token_type: 'mac' },
  ])('never puts a token into an error', (body) => {
    const result = judged({ body: { ...body, refresh_token: 'CANARY', expires_in: 'CANARY' } });
    const shown = JSON.stringify([result, (result as Error).message, (result as Error).stack]);
    expect(result).toBeInstanceOf(UnavailableError);
    expect(shown).not.toContain('CANARY');
  });
});
