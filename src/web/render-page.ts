import type { Response } from 'express';

/** `views/layout.ejs` around `views/pages/<page>.ejs`. */
export function renderPage(
  res: Response,
  page: string,
  locals: { title: string } & Record<string, unknown>,
): void {
  res.render('layout', { page: `pages/${page}`, ...locals });
}
