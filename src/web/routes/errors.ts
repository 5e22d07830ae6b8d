import type { RequestHandler } from 'express';
import { RequestError } from '../../errors.js';
import { errorCatalogue, findError } from '../pages/error-catalogue.js';
import { errorGroups } from '../../error-facts.js';
import { renderPage } from '../render-page.js';

/** `/errors`: every error code that this app responds with. */
export function listErrors(): RequestHandler {
  const groups = errorGroups.map((name) => ({
    name,
    entries: errorCatalogue.filter(({ group }) => group === name),
  }));
  return function listErrorsHandler(_req, res) {
    renderPage(res, 'errors', { title: 'Error codes', groups });
  };
}

/** `/errors/<code>`: what it means and what to do. JSON errors link to it as `doc_url`. */
export function showError(): RequestHandler<{ code: string }> {
  return function showErrorHandler(req, res) {
    const { code } = req.params;
    const entry = findError(code);
    if (entry === undefined) {
      throw new RequestError('no such error code', { code: 'not_found', status: 404 });
    }
    if (entry.code !== code) return res.redirect(301, `/errors/${entry.code}`);
    renderPage(res, 'error-code', { title: entry.code, entry });
  };
}
