import type { Response } from 'express';
import type { Formats } from './formats.js';

/** How a page writes numbers and dates for its reader, and the time by which debts are overdue. */
export interface Reader {
  readonly formats: Formats;
  readonly nowMs: number;
}

export const readerOf = (res: Response, now: () => number): Reader => ({
  formats: res.locals.formats,
  nowMs: now(),
});
