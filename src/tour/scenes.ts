export const sceneIds = [
  'sign-in',
  'expired',
  'tabs',
  'lost',
  'revoked',
  'limit',
  'replay',
] as const;
export type SceneId = (typeof sceneIds)[number];

/** A scene as the page tells it. */
export interface Scene {
  readonly id: SceneId;
  readonly title: string;
  readonly sentence: string;
  readonly button: string;
  /** `true` for a scene that uses the visitor's session. */
  readonly needsSignIn: boolean;
  readonly guarantee: string;
  /** Below `src/`, and a function in it. */
  readonly code: { readonly file: string; readonly symbol: string };
  /** The behaviour of the guide's sample, and its rows in docs/why-not-the-sample.md. */
  readonly sample: { readonly text: string; readonly rows: readonly number[] };
}

export const scenes: readonly Scene[] = [
  {
    id: 'sign-in',
    title: 'Sign in',
    sentence: 'You approve at GetBill and come back with a session. The tokens stay on the server.',
    button: 'Sign in with GetBill',
    needsSignIn: false,
    guarantee:
      'A callback counts only in the browser that began the sign-in. Its code is exchanged once, with PKCE.',
    code: { file: 'core/sign-in/sign-in.ts', symbol: 'complete' },
    sample: {
      text: 'Accepts a callback that no sign-in began: a link signs you in to an attacker’s account. No PKCE.',
      rows: [1, 2],
    },
  },
  {
    id: 'expired',
    title: 'The token dies, and nobody notices',
    sentence:
      'GetBill ends every access token. Then your browser asks for the company profile, as if nothing had happened.',
    button: 'Let the token die',
    needsSignIn: true,
    guarantee: 'A 401 renews the token and sends the call again, once. The browser gets its 200.',
    code: { file: 'core/tokens/token-manager.ts', symbol: 'renew' },
    sample: {
      text: 'Never renews: after an hour there is an error in place of the company, for good.',
      rows: [19],
    },
  },
  {
    id: 'tabs',
    title: 'Ten tabs, one renewal',
    sentence:
      'The token dies again. Ten tabs ask at the same time, while GetBill takes its time to renew.',
    button: 'Open ten tabs',
    needsSignIn: true,
    guarantee:
      'One request in one process renews, under a lease. All others wait for that renewal. No refresh token is sent twice.',
    code: { file: 'core/tokens/renew-under-lease.ts', symbol: 'renewUnderLease' },
    sample: {
      text: 'Ten errors. A renewal added to each request would send one refresh token ten times, and GetBill would end the grant.',
      rows: [19],
    },
  },
  {
    id: 'lost',
    title: 'The response is lost after rotation',
    sentence:
      'GetBill renews and spends the refresh token, but the connection breaks before the response arrives. Nobody can get that token back.',
    button: 'Lose the response',
    needsSignIn: true,
    guarantee:
      'Renewals pause, then one more is tried; it is refused, and you sign in once. No loop, and the log says that a response was lost.',
    code: { file: 'core/tokens/renewal-guards.ts', symbol: 'noteAttempt' },
    sample: {
      text: 'Has no renewal to lose, and no way back either: the dead session shows errors until its cookie is deleted.',
      rows: [19],
    },
  },
  {
    id: 'revoked',
    title: 'The grant is revoked, and you return to where you were',
    sentence:
      'Somebody withdraws the permission at GetBill. The next page you open leads to the sign-in, and from there back to that page.',
    button: 'Revoke the grant',
    needsSignIn: true,
    guarantee:
      'A refused renewal deletes exactly the record it was about, ends the session, and keeps the page you asked for.',
    code: { file: 'core/tokens/renew-under-lease.ts', symbol: 'end' },
    sample: {
      text: 'Passes GetBill’s 401 on as a page. You stay signed in with a token that is dead.',
      rows: [19],
    },
  },
  {
    id: 'limit',
    title: 'The limit is used up',
    sentence:
      'GetBill refuses a call and says when to come back. Nine more come in before that time.',
    button: 'Use up the limit',
    needsSignIn: true,
    guarantee:
      'GetBill is not asked again before the time it named, by no process. Each caller is told when to come back.',
    code: { file: 'getbill/quota.ts', symbol: 'admit' },
    sample: {
      text: 'Goes on asking, and shows each refusal as if it were the company.',
      rows: [20],
    },
  },
  {
    id: 'replay',
    title: 'A callback is replayed',
    sentence:
      'A second browser signs in. Then its callback is sent again: by the Back button, and by a stranger who saw the address.',
    button: 'Replay the callback',
    needsSignIn: false,
    guarantee:
      'A pending login is taken once, and only with its browser’s cookie. The code is never sent a second time.',
    code: { file: 'core/sign-in/pending-logins.ts', symbol: 'take' },
    sample: {
      text: 'Sends the code twice. GetBill takes it for stolen and ends the grant.',
      rows: [9],
    },
  },
];
