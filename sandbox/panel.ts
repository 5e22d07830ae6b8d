import type { ApiFault, Faults, TokenFault } from './faults.js';

interface FaultButton<F> {
  label: string;
  fault: F;
}

type Settings = { [K in keyof Faults]: Faults[K] extends string | number | boolean ? K : never }[keyof Faults];

interface Setting {
  field: Settings;
  label: string;
  /** None: a switch for true and false. */
  options?: readonly (readonly [value: string | number, label: string])[];
}

export const tokenButtons: readonly FaultButton<TokenFault>[] = [
  { label: '503', fault: { mode: 'status', status: 503 } },
  { label: '429, retry after 30 s', fault: { mode: 'status', status: 429, retryAfterS: 30 } },
  { label: 'HTML page', fault: { mode: 'html', status: 502 } },
  { label: 'Not JSON', fault: { mode: 'garbage' } },
  { label: 'Redirect', fault: { mode: 'redirect', status: 302, location: '/' } },
  { label: 'Take 3 s', fault: { mode: 'delay', ms: 3000 } },
  { label: 'Never answer', fault: { mode: 'hang' } },
  { label: 'Cut the connection', fault: { mode: 'drop' } },
  { label: 'Renew, then cut', fault: { mode: 'commitThenDrop' } },
  { label: 'Hold before', fault: { mode: 'hold' } },
  { label: 'Hold the answer', fault: { mode: 'holdAnswer' } },
  { label: 'No expires_in', fault: { mode: 'body', remove: ['expires_in'] } },
  { label: 'Too big', fault: { mode: 'tooBig', bytes: 5_000_000 } },
];

export const apiButtons: readonly FaultButton<ApiFault>[] = [
  { label: '401', fault: { mode: 'unauthorized' } },
  { label: '429, retry after 30 s', fault: { mode: 'rateLimited', retryAfterS: 30 } },
  { label: '500', fault: { mode: 'status', status: 500 } },
  { label: '503 HTML page', fault: { mode: 'html', status: 503 } },
  { label: 'Error in a 200', fault: { mode: 'errorIn200', code: 500 } },
  { label: 'Redirect', fault: { mode: 'redirect', status: 302, location: '/' } },
  { label: 'Take 3 s', fault: { mode: 'slow', ms: 3000 } },
  { label: 'Trickle', fault: { mode: 'trickle', bytesPerS: 200 } },
  { label: 'Never answer', fault: { mode: 'hang' } },
  { label: 'Cut half way', fault: { mode: 'cut', afterBytes: 100 } },
  { label: '16 MB', fault: { mode: 'huge', bytes: 16_000_000 } },
  { label: 'gzip', fault: { mode: 'gzip' } },
];

/** Name in the counters, label, and whether anything but zero is bad news. */
export const counterLabels: readonly (readonly [name: string, label: string, isBad: boolean])[] = [
  ['authorize', 'Sign-ins started', false],
  ['tokenByGrant.authorization_code', 'Codes exchanged', false],
  ['refreshOk', 'Renewals', false],
  ['refreshRefused', 'Renewals refused', true],
  ['refreshReuse', 'Old token reused', true],
  ['apiCalls', 'API calls', false],
  ['apiUnauthorized', 'API calls with 401', true],
  ['revokeCalls', 'Revocations', false],
];

export const tokenSettings: readonly Setting[] = [
  {
    field: 'accessTokenLifetimeS',
    label: 'Access tokens live',
    options: [
      [10, '10 seconds'],
      [30, '30 seconds'],
      [60, '1 minute'],
      [300, '5 minutes'],
      [3600, '1 hour'],
    ],
  },
  {
    field: 'refreshToken',
    label: 'The refresh token is',
    options: [
      ['rotate', 'replaced; reuse ends the grant'],
      ['keep', 'kept and sent again'],
      ['omit', 'kept and not sent'],
    ],
  },
  {
    field: 'refusalStyle',
    label: 'A refused refresh is',
    options: [
      ['rfc', '400 invalid_grant'],
      ['league', '401 invalid_request'],
    ],
  },
  { field: 'oldAccessTokenDies', label: 'A renewal ends the old access token at once' },
  { field: 'scopeInTokenAnswer', label: 'Token answers name the scope' },
];

export const serverSettings: readonly Setting[] = [
  {
    field: 'consent',
    label: 'The sign-in page',
    options: [
      ['ask', 'asks'],
      ['auto', 'is skipped'],
    ],
  },
  {
    field: 'limitReads',
    label: 'Reads per hour',
    options: [
      [5, '5'],
      [100, '100'],
      [1000, '1,000'],
      [1_000_000, '1,000,000'],
    ],
  },
  {
    field: 'clockOffsetMs',
    label: 'The clock is',
    options: [
      [-300_000, '5 minutes slow'],
      [0, 'right'],
      [300_000, '5 minutes fast'],
    ],
  },
  { field: 'revocation', label: 'There is a revocation endpoint, /oauth/revoke' },
];
