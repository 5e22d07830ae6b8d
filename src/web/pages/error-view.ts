import type { Request } from 'express';
import { GetbillApiError, type AppError } from '../../errors.js';
import { safeReturnTo } from '../return-to.js';
import {
  errorText,
  NO_SUCH_DEBT,
  RETRY_ADVICE,
  SIGN_IN_AGAIN,
  SIGN_IN_LATER,
  SIGN_OUT_AGAIN,
  STILL_SIGNED_IN,
  type ErrorText,
} from './error-texts.js';
import { waitText } from './words.js';

/** What a visitor reads. `lookedUpId`: the debt that they looked up, and must sign in for first. */
export function errorView(error: AppError, req: Request, lookedUpId: unknown) {
  const text = lookedUpId === undefined ? textFor(error, req) : signInFor(lookedUpId);
  const wait = error.retryAfterS === undefined ? undefined : waitOf(error.retryAfterS);
  return {
    code: error.code,
    status: error.status,
    text,
    retry: retryOf(error, req),
    wait,
    canRepeat: canRepeat(req) && isTemporary(error) && wait?.isLong !== true,
  };
}

/** The longest wait after which a page tries again by itself. */
const MAX_WAIT_S = 60;

/** Too long to wait in front of the page, which then offers no "Try again". */
export const isLongWait = (seconds: number): boolean => seconds > MAX_WAIT_S;

/** A step of a sign-in works only once, and a form must not be sent twice. */
const canRepeat = ({ method, path }: Request): boolean => method === 'GET' && !isSignIn(path);

const isSignIn = (path: string): boolean => path === '/login' || path === '/oauth/callback';

const isTemporary = ({ status }: AppError): boolean => status === 429 || status >= 500;

/** After how long the page tries again by itself; `undefined`: the wait is long or not known. */
function retryOf(error: AppError, req: Request) {
  const { retryAfterS = Infinity } = error;
  const isSoon = !isLongWait(retryAfterS) && isTemporary(error);
  return isSoon && canRepeat(req) ? { seconds: retryAfterS } : undefined;
}

/** The wait in words. `isLong`: nobody waits for it in front of the page. */
const waitOf = (seconds: number) => ({ text: waitText(seconds), isLong: isLongWait(seconds) });

function signInFor(id: unknown): ErrorText {
  const page = typeof id === 'string' ? `/debts/${id.trim()}` : '/debts';
  return withReturnTo(errorText('not_signed_in', 401), page);
}

/** After a fresh sign-in the visitor comes to the page that failed, or was asked for. */
function textFor(error: AppError, req: Request): ErrorText {
  const asked = req.path === '/login' ? req.query['returnTo'] : req.originalUrl;
  return withReturnTo(textAt(req, error), error.returnTo ?? asked);
}

/** The text with advice that fits the path. A callback works once: its advice is a new sign-in. */
function textAt({ path, signedIn }: Request, error: AppError): ErrorText {
  const isMissing = error instanceof GetbillApiError && error.status === 404;
  if (path.startsWith('/debts/') && isMissing) return NO_SUCH_DEBT;
  const text = errorText(error.code, error.status);
  const saysStillSignedIn = text.advice.startsWith(RETRY_ADVICE);
  if (path === '/logout' && saysStillSignedIn) return { ...text, ...SIGN_OUT_AGAIN };
  if (path === '/login' && saysStillSignedIn) return { ...text, ...SIGN_IN_LATER };
  if (path === '/oauth/callback') {
    if (signedIn !== undefined) return { ...text, ...STILL_SIGNED_IN };
    return { action: SIGN_IN_AGAIN, ...text, ...(saysStillSignedIn && SIGN_IN_LATER) };
  }
  return text;
}

/** An action that leads to the sign-in leads from there to `page`. */
function withReturnTo(text: ErrorText, page: unknown): ErrorText {
  const { action } = text;
  if (action === undefined || !action.href.startsWith('/login')) return text;
  const separator = action.href.includes('?') ? '&' : '?';
  const query = new URLSearchParams({ returnTo: safeReturnTo(page) }).toString();
  return { ...text, action: { ...action, href: action.href + separator + query } };
}
