import type { AsyncLocalStorage } from 'node:async_hooks';
import type { ErrorRequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { Config } from '../../config/config.js';
import { NotSignedInError, RequestError, type AppError } from '../../errors.js';
import type { RequestContext } from '../../events.js';
import { operatorHint } from '../../oauth-explanations.js';
import { asAppError } from '../as-app-error.js';
import { setErrorStatus } from '../error-status.js';
import { errorHref } from '../pages/error-catalogue.js';
import { errorView } from '../pages/error-view.js';
import { logFailure } from '../log-failure.js';
import { isFormOfPage, isNavigation, wantsHtml } from '../request-kind.js';

/**
 * The one place where an error becomes a response. Messages, hints and causes go to the log and
 * nowhere else.
 */
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
    // under way: nothing can be taken back, and Express' own handler would cut the socket
    if (res.headersSent) return;
    if (res.destroyed) return; // the browser has left: a page for nobody would delay all others

    const mustSignIn = error instanceof NotSignedInError && isNavigation(req);
    // The form that looks up a debt: browsers let no form lead to GetBill (`form-action`), so
    // signing in takes a click.
    const lookedUpId = mustSignIn && req.path === '/debts' ? req.query['id'] : undefined;
    if (mustSignIn && lookedUpId === undefined) {
      return res.redirect(302, `/login?returnTo=${encodeURIComponent(req.originalUrl)}`);
    }
    if (error instanceof RequestError) res.set(error.headers);
    setErrorStatus(res, error);
    const isOfScript =
      error instanceof NotSignedInError && lookedUpId === undefined && !isFormOfPage(req);
    if (isOfScript || !wantsHtml(req)) return res.json(jsonOf(error, res));

    const shown = errorView(error, req, lookedUpId);
    const developer = developerPages ? developerBox(error) : undefined;
    const { pageAroundError = { page: 'pages/error', title: shown.text.title } } = res.locals;
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

/** "GET /debts responded 503 text/html after 12 ms (getbill_error)": the call that failed. */
function failedCallText(request: RequestContext | undefined): string | undefined {
  if (request?.failedCall === undefined) return undefined;
  const { method, route, status, contentType = '', durationMs, reason } = request.failedCall;
  const response =
    status === undefined ? 'got no response' : `responded ${status} ${contentType}`.trim();
  return `${method} ${route} ${response} after ${Math.round(durationMs)} ms (${reason})`;
}
