import type { Response } from 'express';
import type { AppError } from '../errors.js';

/** `views/layout.ejs` around `views/pages/<page>.ejs`. */
export function renderPage(
  res: Response,
  page: string,
  locals: { title: string } & Record<string, unknown>,
): void {
  res.render('layout', { page: `pages/${page}`, ...locals });
}

/** For an error in one place of a page: the error page middleware renders the page around it. */
export function throwWithinPage(
  res: Response,
  page: string,
  { error, ...locals }: { title: string; error: AppError } & Record<string, unknown>,
): never {
  res.locals.pageAroundError = { page: `pages/${page}`, ...locals };
  throw error;
}
