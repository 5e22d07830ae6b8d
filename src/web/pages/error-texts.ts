import { explanationOf } from '../../oauth-explanations.js';

/**
 * The text of an error page: what happened, the likely reason, what to do. Never the error's own
 * message.
 */
export interface ErrorText {
  readonly title: string;
  readonly why: string;
  readonly advice: string;
  readonly action?: { readonly label: string; readonly href: string };
  /** All that the visitor can do is tell the number of the request. */
  readonly isForOperator?: true;
}

/** A fresh sign-in, also while somebody is signed in. The error page adds the page to return to. */
export const SIGN_IN_AGAIN = { label: 'Sign in again', href: '/login?again=1' };

/** A sign-in that failed while somebody is signed in has replaced nothing. */
export const STILL_SIGNED_IN = {
  advice: 'Nothing has changed: you are still signed in, with the permissions that you had.',
  action: { label: 'Go back to the connection', href: '/connection' },
};

/** Where nobody is signed in yet. */
export const SIGN_IN_LATER = {
  advice: 'Nothing was changed. Please sign in again in a moment.',
  action: SIGN_IN_AGAIN,
};
const HOME = { label: 'Go to the start page', href: '/' };

/** A sign-out has several steps, and some of them may be done. */
export const SIGN_OUT_AGAIN = {
  advice: 'You may still be signed in. Please sign out once more in a moment.',
  action: HOME,
};
export const RETRY_ADVICE =
  'Nothing was lost and you are still signed in. Please try again in a moment.';
const OPERATOR_ADVICE =
  'This is not something you can change. Please tell the people who run this app, with the request number below.';

const UNREACHABLE: ErrorText = {
  title: 'GetBill cannot be reached right now',
  why: 'GetBill did not respond, or not in time.',
  advice: RETRY_ADVICE,
};

/** Some servers fail in this way when one grant is dead. */
const OR_SIGN_IN = {
  advice: `${RETRY_ADVICE} If it stays like this, sign in again.`,
  action: SIGN_IN_AGAIN,
};

const NOT_RENEWED: ErrorText = {
  ...UNREACHABLE,
  why: 'Your access has to be renewed and GetBill is not answering.',
  ...OR_SIGN_IN,
};

const HAS_A_PROBLEM: ErrorText = {
  title: 'GetBill has a problem',
  why: 'GetBill responded that something went wrong on its side.',
  advice: RETRY_ADVICE,
};

/** GetBill's 404 for one debt. */
export const NO_SUCH_DEBT: ErrorText = {
  title: 'There is no such debt',
  why: 'GetBill has no debt with this id, or it belongs to another company.',
  advice: 'Check the id, or look for the debt in the list.',
  action: { label: 'Go to your debts', href: '/debts' },
};

const SIGN_IN = { label: 'Sign in', href: '/login' };
const START_AGAIN = 'Nothing was changed. Please begin again at the start page.';

const CODE_REFUSED: ErrorText = {
  title: 'GetBill did not accept this sign-in',
  why: 'The sign-in took too long or its response was used before.',
  advice: 'Please start again.',
  action: SIGN_IN_AGAIN,
};

const GRANT_ENDED: ErrorText = {
  title: 'You are signed out',
  why: 'GetBill no longer accepts the access that this app had: it has expired, or was ended there.',
  advice: 'Sign in again, and this page goes on where you were.',
  action: SIGN_IN,
};

const BEING_RENEWED: ErrorText = {
  title: 'Your access is just being renewed',
  why: 'It takes longer than usual.',
  advice: RETRY_ADVICE,
};

const QUOTA_USED: ErrorText = {
  title: 'GetBill’s hourly limit is used up',
  why: 'All users of this app share it.',
  advice: 'Nothing was lost and you are still signed in.',
};

const texts: Readonly<Record<string, ErrorText>> = {
  callback_malformed: {
    title: 'This sign-in response cannot be used',
    why: 'The address you came back with is incomplete or was changed on the way.',
    advice: 'Nothing happened to your account. Please start again.',
    action: SIGN_IN_AGAIN,
  },
  not_signed_in: {
    title: 'You are signed out',
    why: 'Your session has ended.',
    advice: 'Sign in again, and this page goes on where you were.',
    action: SIGN_IN,
  },
  login_unknown: {
    title: 'This sign-in link was already used',
    why: 'It works once, for an hour, and only in the browser that started it.',
    advice: 'Please start again in this browser.',
    action: SIGN_IN_AGAIN,
  },
  login_cookie_missing: {
    title: 'Your browser did not send our cookie',
    why: 'Cookies may be blocked for this site, the sign-in may have been started in another browser or under another address, or it took longer than an hour.',
    advice: 'Allow cookies for this site and start again.',
    action: SIGN_IN_AGAIN,
  },
  session_cookie_lost: {
    title: 'You signed in, but your browser did not keep it',
    why: 'Our session cookie did not come back. It may be blocked, or a second cookie of the same name may stand in its way.',
    advice:
      'Allow cookies for this site, or delete the cookies of this site, wait ten seconds and sign in again.',
    action: HOME,
  },
  grant_ended_at_once: {
    title: 'GetBill ended your access right after you signed in',
    why: 'It did so twice in a row, so this app does not go on by itself.',
    advice:
      'Please wait a minute, then sign in again. If that does not help, tell the people who run this app, with the request number below.',
    action: SIGN_IN_AGAIN,
  },
  code_refused: CODE_REFUSED,
  invalid_grant: CODE_REFUSED,
  grant_ended: GRANT_ENDED,
  grant_refused: GRANT_ENDED,
  renewal_not_finished: BEING_RENEWED,
  lease_overrun: BEING_RENEWED,
  getbill_timeout: UNREACHABLE,
  getbill_unreachable: UNREACHABLE,
  server_unavailable: UNREACHABLE,
  getbill_error: HAS_A_PROBLEM,
  token_endpoint_busy: { ...HAS_A_PROBLEM, ...OR_SIGN_IN },
  token_endpoint_limited: { ...HAS_A_PROBLEM, ...OR_SIGN_IN },
  api_refused: {
    title: 'GetBill did not accept this request',
    why: 'It asks for something that is not yours to see, or something in it does not fit what GetBill accepts.',
    advice:
      'Nothing was changed. Please check the address. If it happens again, tell the people who run this app, with the request number below.',
  },
  missing_scope: {
    title: 'This page needs a permission you did not give',
    why: 'You left it out when you signed in, or this app does not ask for it.',
    advice: 'You can give it at GetBill, and stay signed in.',
    action: { label: 'See and give permissions', href: '/connection' },
  },
  record_key_missing: {
    title: 'We cannot read what we kept of your sign-in',
    why: 'It was encrypted with a key that this server does not have.',
    advice: `Nothing was lost. ${OPERATOR_ADVICE}`,
    isForOperator: true,
  },
  record_broken: {
    title: 'We cannot read what we kept of your sign-in',
    why: 'It is damaged.',
    advice: 'Sign in again.',
    action: SIGN_IN_AGAIN,
  },
  session_secret_differs: {
    title: 'This app is not set up correctly',
    why: 'You signed in, but this server does not recognise the session that another one of ours began.',
    advice: OPERATOR_ADVICE,
    isForOperator: true,
  },
  storage_unavailable: {
    title: 'We cannot look up your session right now',
    why: 'Our own storage is not answering.',
    advice: RETRY_ADVICE,
  },
  csrf: {
    title: 'We could not verify this form',
    why: 'The page may be old, or the request came from another site.',
    advice: 'Nothing was changed. Open the page again, and repeat what you did.',
    action: { label: 'Go to the dashboard', href: '/dashboard' },
  },
  rate_limited: {
    title: 'That was a lot of requests',
    why: 'There is a limit to how often this can be done in a minute.',
    advice: 'Please wait a little and try again.',
  },
  refresh_rate_limited: {
    title: 'Too many people at once',
    why: 'Your access must be renewed, and this app renews only so many in a minute.',
    advice: RETRY_ADVICE,
  },
  getbill_quota_used: QUOTA_USED,
  getbill_quota_low: QUOTA_USED,
  too_many_open_calls: {
    title: 'Too much is being loaded at once',
    why: 'You have many pages or calls open that still wait for GetBill.',
    advice: 'Please let them finish, and try again.',
  },
  getbill_share_used: {
    title: 'Your company has used its share for now',
    why: 'All users of this app share GetBill’s hourly limit; each company gets a part of it.',
    advice: 'Nothing was lost and you are still signed in.',
  },
  metrics_token: {
    title: 'This needs a token',
    why: 'Metrics are for machines that have one.',
    advice: 'There is nothing here for a person.',
    action: HOME,
  },
  browser_left: {
    title: 'You have left this page',
    why: 'It was not loaded to its end.',
    advice: 'Open it again.',
  },
  insecure_request: {
    title: 'This app is not set up correctly',
    why: 'Your request did not reach it as a secure one.',
    advice: OPERATOR_ADVICE,
    isForOperator: true,
  },
  origin_mismatch: {
    title: 'This app is not set up correctly',
    why: 'Your request did not reach it under the address that it was given as its own (PUBLIC_URL).',
    advice: OPERATOR_ADVICE,
    isForOperator: true,
  },
};

const byStatus: Readonly<Record<number, ErrorText>> = {
  400: {
    title: 'This request cannot be used',
    why: 'Something in it is malformed.',
    advice: START_AGAIN,
    action: HOME,
  },
  403: {
    title: 'This is not allowed',
    why: 'The request was refused.',
    advice: START_AGAIN,
    action: HOME,
  },
  404: {
    title: 'There is no such page',
    why: 'The address may be mistyped, or what was here is gone.',
    advice: 'Check the address, or begin at the start page.',
    action: HOME,
  },
  405: {
    title: 'This cannot be done here',
    why: 'The page does not accept this kind of request.',
    advice: START_AGAIN,
    action: HOME,
  },
  413: {
    title: 'That was too large',
    why: 'What was sent is larger than this page accepts.',
    advice: 'Go back and send less, or begin again at the start page.',
    action: HOME,
  },
  415: {
    title: 'This cannot be read',
    why: 'It was sent in a form this page does not accept.',
    advice: START_AGAIN,
    action: HOME,
  },
  429: {
    title: 'That was a lot of requests',
    why: 'There is a limit to how often this can be done.',
    advice: 'Please wait a little and try again.',
  },
  502: {
    title: 'GetBill gave an unexpected response',
    why: 'It is not what GetBill documents, so this app does not use it. The problem is not with you.',
    advice:
      'Please try again. If it happens again, tell the people who run this app, with the request number below.',
  },
  503: NOT_RENEWED,
};

const unexpected: ErrorText = {
  title: 'Something went wrong on our side',
  why: 'An error we did not expect. It has been logged.',
  advice:
    'Please try again. If it happens again, tell the people who run this app, with the request number below.',
};

/** An authorization error that has no explanation of its own reads as `server_error`. */
export function errorText(code: string, status: number | undefined): ErrorText {
  const oauthError =
    explanationOf(code) ??
    (code.startsWith('authorization_') ? explanationOf('server_error') : undefined);
  if (oauthError !== undefined) return { ...oauthError.visitor, action: SIGN_IN_AGAIN };
  const ofStatus = status === undefined ? undefined : byStatus[status];
  const text = Object.hasOwn(texts, code) ? texts[code] : ofStatus;
  return status === 503 && text === UNREACHABLE ? NOT_RENEWED : (text ?? unexpected);
}
