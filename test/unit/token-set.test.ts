/// <reference types="jest" />
import { UnavailableError } from '../../src/errors.js';
import {
  phaseOf,
  renewalDueAtMs,
  tokenResponseFrom,
  tokenSetFromResponse,
  type TokenSet,
} from '../../src/core/oauth/token-set.js';

const sentAtMs = 1_000_000;
const requestedScopes = ['company:read', 'debts:read'];
const previous: TokenSet = {
  accessToken: 'old-access',
  refreshToken: 'old-refresh',
  scopes: ['debts:read'],
  issuedAtMs: 1,
  expiresAtMs: 2,
  renewals: 4,
};
const whole = {
  access_token: 'access',
  refresh_token: 'refresh',
  expires_in: 60,
  scope: 'company:read',
};
/** @throws {UnavailableError} */
function checked(body: object) {
  const response = tokenResponseFrom({ token_type: 'Bearer', ...body });
  if (response instanceof UnavailableError) throw response;
  return response;
}
const signedIn = (body: object): TokenSet =>
  tokenSetFromResponse(checked(body), { sentAtMs, requestedScopes });
const renewed = (body: object): TokenSet =>
  tokenSetFromResponse(checked(body), { sentAtMs, requestedScopes: [], previous });

describe('a token set from an answer', () => {
  it('has our names and milliseconds, counted from when the request was sent', () => {
    expect(signedIn(whole)).toEqual({
      accessToken: 'access',
      refreshToken: 'refresh',
      scopes: ['company:read'],
      issuedAtMs: sentAtMs,
      expiresAtMs: sentAtMs + 60_000,
      renewals: 0,
    });
  });

  it.each<[string, Partial<TokenSet>, object]>([
    [
      'an hour when "expires_in" is missing',
      { expiresAtMs: sentAtMs + 3_600_000 },
      { access_token: 'a' },
    ],
    [
      'the requested scopes when "scope" is missing',
      { scopes: requestedScopes },
      { access_token: 'a' },
    ],
    [
      'the granted scopes, also fewer',
      { scopes: ['debts:read'] },
      { access_token: 'a', scope: 'debts:read' },
    ],
    [
      'the granted scopes, also others',
      { scopes: ['a', 'b'] },
      { access_token: 'a', scope: ' a  b ' },
    ],
    [
      'the requested scopes when "scope" is empty',
      { scopes: requestedScopes },
      { access_token: 'a', scope: '' },
    ],
    ['no refresh token when none comes', { refreshToken: undefined }, { access_token: 'a' }],
    [
      'half a second as it is',
      { expiresAtMs: sentAtMs + 500 },
      { access_token: 'a', expires_in: 0.5 },
    ],
    [
      'ten years',
      { expiresAtMs: sentAtMs + 315_360_000_000 },
      { access_token: 'a', expires_in: 315_360_000 },
    ],
    [
      'an access token of 8 KiB',
      { accessToken: 'a'.repeat(8192) },
      { access_token: 'a'.repeat(8192) },
    ],
  ])('at sign-in holds %s', (_what, expected, response) => {
    expect(signedIn(response)).toMatchObject(expected);
  });

  it.each<[string, Partial<TokenSet>, object]>([
    [
      '[B07] the old refresh token when none comes',
      { refreshToken: 'old-refresh' },
      { access_token: 'a' },
    ],
    ['[B07] the new refresh token when one comes', { refreshToken: 'refresh' }, whole],
    ['the old scopes when "scope" is missing', { scopes: ['debts:read'] }, { access_token: 'a' }],
    ['the new scopes when "scope" is there', { scopes: ['company:read'] }, whole],
    ['one more renewal', { renewals: 5 }, whole],
  ])('after a renewal holds %s', (_what, expected, response) => {
    expect(renewed(response)).toMatchObject(expected);
  });

  it('tells scopes apart that were asked for in two spellings', () => {
    const both = { ...previous, scopes: ['Debts', 'debts'] };
    const request = { sentAtMs, requestedScopes: [], previous: both };
    const { scopes } = tokenSetFromResponse(checked({ ...whole, scope: 'debts' }), request);
    expect(scopes).toEqual(['debts']);
  });

  it.each<[string, boolean, Partial<TokenSet> | undefined, object]>([
    ['a sign-in that names none', true, undefined, { access_token: 'a' }],
    ['a sign-in that names them', false, undefined, whole],
    ['a renewal after none were ever named', true, { scopesAssumed: true }, { access_token: 'a' }],
    ['a renewal after they were named', false, {}, { access_token: 'a' }],
    ['a renewal that names them at last', false, { scopesAssumed: true }, whole],
  ])('says whether its scopes are assumed: %s, %s', (_what, assumed, earlier, body) => {
    const tokenSet = tokenSetFromResponse(checked(body), {
      sentAtMs,
      requestedScopes,
      ...(earlier && { previous: { ...previous, ...earlier } }),
    });
    expect(tokenSet.scopesAssumed).toBe(assumed || undefined);
  });

  it.each<[string, object]>([
    ['expires at once', { ...whole, expires_in: 0 }],
    ['has expired already', { ...whole, expires_in: -5 }],
    ['lives for longer than ten years', { ...whole, expires_in: 1e12 }],
    ['lives for ever', { ...whole, expires_in: Infinity }],
    ['lives for no number of seconds', { ...whole, expires_in: NaN }],
    ['is empty', { ...whole, access_token: '' }],
    ['has a line break', { ...whole, access_token: 'a\r\nX-Injected: 1' }],
    ['has a space', { ...whole, access_token: 'a b' }],
    ['is not ASCII', { ...whole, access_token: 'töken' }],
    ['is longer than 8 KiB', { ...whole, access_token: 'a'.repeat(8193) }],
  ])('[A18] is refused when the access token %s', (_what, response) => {
    for (const make of [signedIn, renewed]) {
      expect(() => make(response)).toThrow(UnavailableError);
    }
  });

  it.each(['r\n', 'a b', 'r'.repeat(8193)])(
    '[A18] is refused when the refresh token is %j',
    (refresh_token) => {
      expect(() => signedIn({ ...whole, refresh_token })).toThrow(UnavailableError);
    },
  );
});

describe('the phase of a token set', () => {
  const lifetime = (seconds: number): TokenSet => ({
    ...previous,
    issuedAtMs: 0,
    expiresAtMs: seconds * 1000,
  });

  it.each([
    // lifetime s, margin s, renewal due at s
    [3600, 60, 3540],
    [3600, 0, 3600],
    [3600, 900, 2700],
    [3600, 3600, 2700], // at most a quarter
    [240, 60, 180],
    [239, 60, 179.25],
    [30, 60, 22.5],
    [1, 60, 0.75],
  ])('of %s s with a margin of %s s becomes "margin" at %s s', (lifetimeS, marginS, dueS) => {
    const tokenSet = lifetime(lifetimeS);
    const phaseAt = (nowMs: number) => phaseOf(tokenSet, { nowMs, marginMs: marginS * 1000 });
    expect(renewalDueAtMs(tokenSet, marginS * 1000)).toBe(dueS * 1000);
    expect(phaseAt(dueS * 1000 - 1)).toBe('fresh');
    expect(phaseAt(dueS * 1000)).toBe(dueS === lifetimeS ? 'expired' : 'margin');
    expect(phaseAt(lifetimeS * 1000 - 1)).toBe(dueS === lifetimeS ? 'fresh' : 'margin');
    expect(phaseAt(lifetimeS * 1000)).toBe('expired');
    expect(phaseAt(lifetimeS * 1000 + 1)).toBe('expired');
  });
});
