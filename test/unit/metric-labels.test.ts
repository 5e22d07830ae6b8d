import { oauthErrorCodes } from '../../src/oauth-explanations.js';
import { knownReason, knownScope } from '../../src/telemetry/metric-labels.js';
import { errorFacts } from '../../src/error-facts.js';

/** Codes of calls that GetBill was not asked to answer, or answered with a usable no. */
const NO_FAILURE = /^(getbill_(quota|share)_|missing_scope|api_)/;

it('every way in which a call to the API fails has its own label', () => {
  const codes = Object.keys(errorFacts['Calls to GetBill']).filter(
    (code) => !NO_FAILURE.test(code),
  );
  expect(codes.filter((code) => knownReason('api', code) !== code)).toEqual([]);
});

it('every OAuth error that ends a sign-in has its own label, at the endpoint that sends it', () => {
  const isKnown = (reason: string): boolean => knownReason('login', reason) === reason;
  const unknown = oauthErrorCodes.filter(
    (code) => !isKnown(code) && !isKnown(`authorization_${code}`),
  );
  expect(unknown).toEqual([]);
  expect(isKnown('unsupported_grant_type')).toBe(true);
});

it('a scope that nobody documents is counted as "other", so that a server does not decide how many series there are', () => {
  expect(['debts:read', 'DEBTS:READ', 'made:up', '__proto__'].map(knownScope)).toEqual([
    'debts:read',
    'other',
    'other',
    'other',
  ]);
});
