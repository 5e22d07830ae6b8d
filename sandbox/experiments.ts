import type { ApiFault, Faults, RevokeFault, TokenFault } from './faults.js';
import type { Style } from './webhooks/sender.js';

export type Queue = 'token' | 'api' | 'revokeFault';

interface FaultButton {
  label: string;
  queue: Queue;
  fault: TokenFault | ApiFault | RevokeFault;
}

interface Operation {
  label: string;
  operation: 'expire-access-tokens' | 'revoke-grants' | 'release' | 'reset' | `webhooks/${Style}`;
}

type SettingName = {
  [K in keyof Faults]: Faults[K] extends string | number | boolean ? K : never;
}[keyof Faults];

interface Setting {
  field: SettingName;
  label: string;
  /** None: a switch for true and false. */
  options?: readonly (readonly [value: string | number, label: string])[];
}

/** One thing to try: what happens at GetBill, and where to look then. */
interface Experiment {
  id: string;
  title: string;
  explanation: string;
  next: string;
  operations?: readonly Operation[];
  buttons?: readonly FaultButton[];
  settings?: readonly Setting[];
}

const token = (label: string, fault: TokenFault): FaultButton => ({ label, queue: 'token', fault });
const revocation = (label: string, fault: RevokeFault): FaultButton => ({
  label,
  queue: 'revokeFault',
  fault,
});
const api = (label: string, fault: ApiFault): FaultButton => ({ label, queue: 'api', fault });

export const experiments: readonly Experiment[] = [
  {
    id: 'expire',
    title: 'Let the token die',
    explanation: 'Every access token stops working at once, as if its hour were over.',
    next: 'Reload the dashboard: the app renews, and nobody notices.',
    operations: [{ label: 'Expire access tokens', operation: 'expire-access-tokens' }],
    settings: [
      {
        field: 'accessTokenLifetimeS',
        label: 'New access tokens live',
        options: [
          [10, '10 seconds'],
          [30, '30 seconds'],
          [60, '1 minute'],
          [300, '5 minutes'],
          [3600, '1 hour'],
        ],
      },
    ],
  },
  {
    id: 'revoke',
    title: 'End the permission',
    explanation: 'The user withdraws at GetBill: every grant is dead, refresh tokens included.',
    next: 'Reload a page of the app: you sign in again and land where you were.',
    operations: [{ label: 'Revoke all grants', operation: 'revoke-grants' }],
  },
  {
    id: 'lose',
    title: 'Lose the response',
    explanation: 'GetBill renews and spends the old refresh token, but the app never hears of it.',
    next: 'Expire the access tokens, then reload the dashboard twice.',
    buttons: [
      token('Renew, then cut the connection', { mode: 'commitThenDrop' }),
      token('Cut before anything happens', { mode: 'drop' }),
    ],
  },
  {
    id: 'hold',
    title: 'Stop the clock',
    explanation: 'A token call waits here until you release it: before GetBill renews, or after.',
    next: 'Expire the access tokens, open ten tabs, look at the counters, then release.',
    buttons: [
      token('Hold the next call', { mode: 'hold' }),
      token('Hold the next response', { mode: 'holdAnswer' }),
    ],
    operations: [{ label: 'Release what is held', operation: 'release' }],
  },
  {
    id: 'token-trouble',
    title: 'Token endpoint in trouble',
    explanation: 'Renewals and sign-ins meet an outage. No token is lost, nobody is signed out.',
    next: 'Expire the access tokens and reload: the page says when it tries again.',
    buttons: [
      token('503', { mode: 'status', status: 503 }),
      token('429, wait 30 s', { mode: 'status', status: 429, retryAfterS: 30 }),
      token('An HTML page', { mode: 'html', status: 502 }),
      token('Broken JSON', { mode: 'garbage' }),
      token('A redirect', { mode: 'redirect', status: 302, location: '/' }),
      token('3 seconds late', { mode: 'delay', ms: 3000 }),
      token('No response', { mode: 'hang' }),
      token('No expires_in', { mode: 'body', remove: ['expires_in'] }),
      token('5 MB', { mode: 'tooBig', bytes: 5_000_000 }),
    ],
  },
  {
    id: 'api-trouble',
    title: 'API in trouble',
    explanation:
      'The next API call meets an outage, a firewall, or a response that makes no sense.',
    next: 'Open the debts: the rest of the page stands, and the error says what happened.',
    buttons: [
      api('401', { mode: 'unauthorized' }),
      api('429, wait 30 s', { mode: 'rateLimited', retryAfterS: 30 }),
      api('500', { mode: 'status', status: 500 }),
      api('503, an HTML page', { mode: 'html', status: 503 }),
      api('An error in a 200', { mode: 'errorIn200', code: 500 }),
      api('A redirect', { mode: 'redirect', status: 302, location: '/' }),
      api('3 seconds late', { mode: 'slow', ms: 3000 }),
      api('200 bytes a second', { mode: 'trickle', bytesPerS: 200 }),
      api('No response', { mode: 'hang' }),
      api('Cut half way', { mode: 'cut', afterBytes: 100 }),
      api('16 MB', { mode: 'huge', bytes: 16_000_000 }),
      api('Compressed', { mode: 'gzip' }),
    ],
  },
  {
    id: 'revocation',
    title: 'Revocation in trouble',
    explanation:
      'An app that knows where (GETBILL_REVOKE_URL) revokes its tokens at sign-out. GetBill documents no such address.',
    next: 'Sign out: you are signed out here, whatever GetBill says.',
    buttons: [
      revocation('503', { mode: 'status', status: 503 }),
      revocation('An HTML page', { mode: 'html' }),
      revocation('No response', { mode: 'hang' }),
    ],
    settings: [{ field: 'revocation', label: 'Tokens can be revoked at /oauth/revoke' }],
  },
  {
    id: 'webhooks',
    title: 'Send webhooks',
    explanation:
      'GetBill tells the app that a debt has changed. Every write through the API does so by itself.',
    next: 'Look at the events of the app, or at an open list of debts. What was answered stands below, under webhooks.',
    operations: [
      { label: 'One', operation: 'webhooks/once' },
      { label: 'The same three times', operation: 'webhooks/duplicate' },
      { label: 'Two, the later one first', operation: 'webhooks/reordered' },
      { label: 'A wrong signature', operation: 'webhooks/wrongSignature' },
      { label: '3 seconds late', operation: 'webhooks/late' },
      { label: '100 at once', operation: 'webhooks/burst' },
      { label: 'Odd bodies', operation: 'webhooks/oddBody' },
    ],
  },
  {
    id: 'limit',
    title: 'Use up the limit',
    explanation: 'GetBill allows a number of reads in a window, and says so in each response.',
    next: 'Load pages until it is used up: the app stops asking before GetBill refuses.',
    settings: [
      {
        field: 'limitReads',
        label: 'Reads in a window',
        options: [
          [5, '5'],
          [100, '100'],
          [1000, '1,000'],
          [1_000_000, '1,000,000'],
        ],
      },
      {
        field: 'limitWindowS',
        label: 'A window is',
        options: [
          [60, '1 minute'],
          [3600, '1 hour'],
        ],
      },
    ],
  },
  {
    id: 'dialect',
    title: 'Another dialect',
    explanation: 'What GetBill does not document, authorization servers do differently.',
    next: 'Sign in again: each combination must work.',
    settings: [
      {
        field: 'refreshToken',
        label: 'A renewal sends a refresh token',
        options: [
          ['rotate', 'new each time; reuse ends the grant'],
          ['keep', 'the same again'],
          ['omit', 'not at all; the old one stays good'],
        ],
      },
      {
        field: 'refusalStyle',
        label: 'A dead refresh token is refused with',
        options: [
          ['rfc', '400 invalid_grant'],
          ['league', '401 invalid_request'],
        ],
      },
      {
        field: 'scopeInTokenResponse',
        label: 'Token responses name the scope',
        options: [
          ['ifLess', 'when less was granted than asked'],
          ['always', 'always'],
          ['never', 'never'],
        ],
      },
      {
        field: 'clockOffsetMs',
        label: 'The clock of GetBill is',
        options: [
          [-300_000, '5 minutes slow'],
          [0, 'right'],
          [300_000, '5 minutes fast'],
        ],
      },
      {
        field: 'consent',
        label: 'The sign-in page',
        options: [
          ['ask', 'asks'],
          ['auto', 'is skipped'],
        ],
      },
      { field: 'oldAccessTokenDies', label: 'A renewal ends the old access token at once' },
    ],
  },
];

/** The words on the button of an operation. */
export const buttonOf = (operation: string): string =>
  experiments
    .flatMap(({ operations = [] }) => operations)
    .find((button) => button.operation === operation)?.label ?? operation;
