import type { Response } from 'express';
import { formats, type Formats } from './formats.js';

/** Who reads the page, and when: how numbers and dates are written, and what is overdue. */
export interface Reader {
  readonly formats: Formats;
  readonly nowMs: number;
}

export const UNKNOWN_READER: Reader = { formats, nowMs: 0 };

export const readerOf = (res: Response, now: () => number): Reader => ({
  formats: res.locals.formats,
  nowMs: now(),
});
