import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { AppError, SignInError } from '../../src/errors.js';
import { stateOf, validateAuthorizationResponse } from '../../src/core/oauth/authorization.js';
import { MAX_RETRY_AFTER_S, parseRetryAfter } from '../../src/core/oauth/retry-after.js';
import { responseText } from '../../src/getbill/response-text.js';
import { judgeTokenResponse } from '../../src/core/oauth/token-response.js';
import { tokenSetFromResponse } from '../../src/core/oauth/token-set.js';
import { safeReturnTo } from '../../src/web/return-to.js';

const anyText = fc.string({ unit: 'binary', maxLength: 200 });
const fields = fc.dictionary(
  fc.constantFrom('access_token', 'token_type', 'expires_in', 'refresh_token', 'scope', 'error', 'error_description', '__proto__'), // prettier-ignore
  fc.oneof(anyText, fc.constantFrom('Bearer', 'invalid_grant', 'invalid_request', '3600', '', null), fc.double(), fc.jsonValue()), // prettier-ignore
);
const bodies = fc.oneof(
  anyText,
  fields.map((value) => JSON.stringify(value)),
  fields.map((value) => gzipSync(JSON.stringify(value))),
  fc.uint8Array({ maxLength: 300 }),
);
const headers = fc.record({
  'content-encoding': fc.constantFrom(undefined, 'gzip', 'br', 'deflate', 'zstd', 'gzip, gzip'),
  'content-type': fc.option(anyText, { nil: undefined }),
  'retry-after': fc.option(anyText, { nil: undefined }),
});
const provider = {
  authorizeUrl: new URL('https://getbill.test/authorize'),
  tokenUrl: new URL('https://getbill.test/token'),
  clientId: 'client',
  clientSecrets: [],
  redirectUri: 'https://app.test/oauth/callback',
  scopes: ['company:read'],
};

/** What holds for any input of those who are not us, by name. */
export const properties: Readonly<Record<string, (numRuns: number) => void>> = {
  'a token response is judged, and a token set that comes of it is usable': (numRuns) => {
    const grantTypes = fc.constantFrom(
      'authorization_code',
      'refresh_token',
      'client_credentials',
      'revocation',
    );
    const property = fc.property(
      fc.integer({ min: 200, max: 599 }),
      headers,
      bodies,
      grantTypes,
      (status, sent, body, grantType) => {
        const text = typeof body === 'string' ? body : responseText(sent, Buffer.from(body));
        const response = { status, headers: sent, body: text };
        const judgement = judgeTokenResponse(response, {
          grantType,
          nowMs: 0,
          secrets: ['secret'],
        });
        if ((judgement.serverSaid ?? '').length > 266) return false;
        if (judgement.outcome !== 'ok') return judgement.error instanceof AppError;
        if (judgement.token === undefined) return grantType === 'revocation';
        const options = { sentAtMs: 0, requestedScopes: ['a'] };
        const tokenSet = tokenSetFromResponse(judgement.token, options);
        return tokenSet.expiresAtMs > 0 && tokenSet.scopes.length <= 64;
      },
    );
    fc.assert(property, { numRuns });
  },
  'a callback is refused, or has one state and one code': (numRuns) => {
    const names = fc.constantFrom(
      'state',
      'code',
      'error',
      'error_description',
      'iss',
      'id_token',
      'response',
    );
    const queries = fc.array(fc.tuple(names, fc.oneof(anyText, fc.constantFrom('s', 'c', ''))), {
      maxLength: 6,
    });
    const property = fc.property(queries, (pairs) => {
      const response = new URLSearchParams(pairs);
      try {
        const expectedState = stateOf(response);
        const code = validateAuthorizationResponse(response, { provider, expectedState });
        return code.getAll('code').length === 1 && code.getAll('state').length === 1;
      } catch (error) {
        return error instanceof SignInError;
      }
    });
    fc.assert(property, { numRuns });
  },
  'Retry-After is a whole number of seconds up to a day, or nothing': (numRuns) => {
    const values = fc.oneof(anyText, fc.double().map(String), fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()), fc.anything()); // prettier-ignore
    const property = fc.property(values, values, (value, date) => {
      const seconds = parseRetryAfter(value, { nowMs: 0, date });
      return (
        seconds === undefined ||
        (Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_RETRY_AFTER_S)
      );
    });
    fc.assert(property, { numRuns });
  },
  'returnTo is a page of this site, however it is read': (numRuns) => {
    const parts = fc.constantFrom('/', '\\', '//', 'dashboard', 'debts', '?', '#', '@', ':', '%2f', '%5c', '\t', '\n', 'evil.example', 'https:', '..'); // prettier-ignore
    const values = fc.oneof(
      fc.array(parts, { maxLength: 8 }).map((some) => some.join('')),
      anyText,
      fc.anything(),
    );
    const property = fc.property(values, (value) => {
      const path = safeReturnTo(value);
      return (
        path.startsWith('/') && new URL(path, 'https://app.test').origin === 'https://app.test'
      );
    });
    fc.assert(property, { numRuns });
  },
};
