import type { AsyncLocalStorage } from 'node:async_hooks';
import type { ErrorRequestHandler, Request, Response } from 'express';
import type { Logger } from 'pino';
import type { Config } from '../../config/config.js';
import { GetbillApiError, NotSignedInError, RequestError, type AppError } from '../../errors.js';
import type { RequestContext } from '../../events.js';
import { operatorHint } from '../../oauth-explanations.js';
import { asAppError } from '../as-app-error.js';
import { errorHref } from '../pages/error-catalogue.js';
import {
  errorText,
  NO_SUCH_DEBT,
  RETRY_ADVICE,
  SIGN_IN_AGAIN,
  SIGN_IN_LATER,
  STILL_SIGNED_IN,
  type ErrorText,
} from '../pages/error-texts.js';
import { waitText } from '../pages/formats.js';
import { logFailure } from '../log-failure.js';
import { isFormOfPage, isNavigation, wantsHtml } from '../request-kind.js';
import { safeReturnTo } from '../return-to.js';

/** The one place where an error becomes a response. Messages, hints and causes go to the log and nowhere else. */
export function errorPage({
  log,
  context,
  developerPages,
  publicUrl,
}: Pick<Config, 'developerPages' | 'publicUrl'> & {
  log: Logger;
  context: AsyncLocalStorage<RequestContext>;
}): ErrorRequestHandler {
  return function errorPageMiddleware(thrown: unknown, req, res, _next) {
    const error = asAppError(thrown);
    logFailure(log, error, req, res);
    if (res.headersSent) return; // under way: nothing can be taken back, and Express' own handler would cut the socket
    if (res.destroyed) return; // the browser has left: a page for nobody would delay all others

    const mustSignIn = error instanceof NotSignedInError && isNavigation(req);
    // The form that looks up a debt: browsers let no form lead to GetBill (`form-action`), so signing in takes a click.
    const lookedUpId = mustSignIn && req.path === '/debts' ? req.query['id'] : undefined;
    if (mustSignIn && lookedUpId === undefined) {
      return res.redirect(302, `/login?returnTo=${encodeURIComponent(req.originalUrl)}`);
    }
    if (error.retryAfterS !== undefined) res.set('Retry-After', String(error.retryAfterS));
    if (error instanceof RequestError) res.set(error.headers);
    res.status(error.status);
    const isPage =
      lookedUpId !== undefined || isFormOfPage(req) || !(error instanceof NotSignedInError);
    if (!isPage || !wantsHtml(req)) return res.json(jsonOf(error, res));

    const text = lookedUpId === undefined ? textFor(error, req) : signInFor(lookedUpId);
    const wait = error.retryAfterS === undefined ? undefined : waitOf(error.retryAfterS);
    const shown = {
      code: error.code,
      status: error.status,
      text,
      retry: retryOf(error, req),
      wait,
      canRepeat: canRepeat(req) && isTemporary(error) && wait?.isLong !== true,
    };
    const developer = developerPages ? developerBox(error) : undefined;
    const { pageAroundError = { page: 'pages/error', title: text.title } } = res.locals;
    res.render(
      'layout',
      { ...pageAroundError, error: shown, developer, path: req.path },
      (renderError: Error | null, html?: string) => {
        const plain = `Something went wrong. Request number: ${res.locals.requestId}`;
        res.send(renderError ? plain : html);
      },
    );
  };

  function jsonOf(error: AppError, res: Response) {
    const docHref = errorHref(error.code);
    return {
      error: error.code,
      request_id: res.locals.requestId,
      ...(docHref !== undefined && { doc_url: new URL(docHref, publicUrl).href }),
      ...(error instanceof NotSignedInError && { login_url: '/login' }),
      ...(error instanceof RequestError && error.details),
    };
  }

  /** Details below the text, for a developer and never for a visitor. */
  function developerBox({ code, message, hint }: AppError) {
    return {
      message,
      hint: operatorHint(code) ?? hint,
      call: failedCallText(context.getStore()),
      docHref: errorHref(code),
    };
  }
}

/** The longest wait after which a page tries again by itself. */
const MAX_WAIT_S = 60;

/** Whether asking again does no harm: a step of a sign-in can be taken once, and a form is not sent twice. */
const canRepeat = ({ method, path }: Request): boolean => method === 'GET' && !isSignIn(path);

const isSignIn = (path: string): boolean => path === '/login' || path === '/oauth/callback';

const isTemporary = ({ status }: AppError): boolean => status === 429 || status >= 500;

/** When the page tries again by itself: after a short time that is known. */
function retryOf(error: AppError, req: Request) {
  const { retryAfterS = Infinity } = error;
  const isSoon = retryAfterS <= MAX_WAIT_S && isTemporary(error);
  return isSoon && canRepeat(req) ? { seconds: retryAfterS } : undefined;
}

/** When there is more, for a reader who has to come back; `isLong`: nobody waits for it in front of the page. */
const waitOf = (seconds: number) => ({ text: waitText(seconds), isLong: seconds > MAX_WAIT_S });

function signInFor(id: unknown): ErrorText {
  const text = errorText('not_signed_in', 401);
  const returnTo = safeReturnTo(typeof id === 'string' ? `/debts/${id.trim()}` : '/debts');
  const href = `/login?${new URLSearchParams({ returnTo }).toString()}`;
  return { ...text, action: { label: 'Sign in', href } };
}

/** "GET /debts responded 503 text/html after 12 ms (getbill_error)": the call that made the request fail. */
function failedCallText(request: RequestContext | undefined): string | undefined {
  if (request?.failedCall === undefined) return undefined;
  const { method, route, status, contentType = '', durationMs, reason } = request.failedCall;
  const response =
    status === undefined ? 'got no response' : `responded ${status} ${contentType}`.trim();
  return `${method} ${route} ${response} after ${Math.round(durationMs)} ms (${reason})`;
}

/** After a fresh sign-in the visitor comes to the page that failed, or was asked for. A callback is never repeated. */
function textFor(error: AppError, req: Request): ErrorText {
  if (error instanceof GetbillApiError && error.status === 404 && req.path.startsWith('/debts/'))
    return NO_SUCH_DEBT;
  const known = errorText(error.code, error.status);
  const isCallback = req.path === '/oauth/callback';
  if (isCallback && req.signedIn !== undefined) {
    return { ...known, ...STILL_SIGNED_IN }; // asked for more permission, or signed in again
  }
  const isTooSure = isSignIn(req.path) && known.advice.startsWith(RETRY_ADVICE);
  const text = isTooSure ? { ...known, ...SIGN_IN_LATER } : known;
  const action = text.action ?? (isCallback ? SIGN_IN_AGAIN : undefined);
  if (action === undefined || !action.href.startsWith('/login')) return text;
  const asked = req.path === '/login' ? req.query['returnTo'] : req.originalUrl;
  const page = { returnTo: safeReturnTo(error.returnTo ?? asked) };
  const separator = action.href.includes('?') ? '&' : '?';
  const href = action.href + separator + new URLSearchParams(page).toString();
  return { ...text, action: { ...action, href } };
}
