import type { Response } from 'express';
import { AppError, NotSignedInError, StorageError, UnavailableError } from '../../errors.js';
import type { Reading } from '../../getbill/cached-reads.js';
import { setErrorStatus } from '../error-status.js';
import { errorText } from './error-texts.js';
import { isLongWait } from './error-view.js';
import type { InstantText } from './formats.js';
import type { Reader } from './reader.js';
import { waitText } from './words.js';

/** A part of a page that is loaded by itself: there, not granted, or missing for a while. */
export type Part<Data> =
  | { readonly data: Data }
  | { readonly scopeMissing: string }
  | { readonly unavailable: Unavailable };

export interface Unavailable {
  readonly error: AppError;
  readonly why: string;
  readonly status: number;
  readonly isLong: boolean;
}

/**
 * Loads one part. Its failure costs the page nothing but this part; only the end of the session and
 * a storage that is away are about the whole page, and are thrown.
 */
export async function loadPart<Data>(
  scope: string,
  load: () => Promise<Data>,
  res: Response,
): Promise<Part<Data>> {
  if (!res.locals.tokenSet.scopes.includes(scope)) return { scopeMissing: scope };
  try {
    return { data: await load() };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || isAboutThePage(thrown)) throw thrown;
    const error = thrown.code === 'not_found' ? partNotFound(thrown) : thrown;
    if (error.code === 'missing_scope') return { scopeMissing: scope };
    const { status, retryAfterS = 0 } = error;
    const isLong = isLongWait(retryAfterS);
    return { unavailable: { error, why: whyUnavailable(error), status, isLong } };
  }
}

/** What a part reads always exists, though empty: a 404 would say that the page does not. */
const partNotFound = (cause: AppError): AppError =>
  new UnavailableError('GetBill does not find what a part of the page asks for', {
    code: 'answer_status_unexpected',
    status: 502,
    cause,
  });

/** The part with its data made into a view, where it is there. */
export const mapPart = <Data, View>(part: Part<Data>, show: (data: Data) => View): Part<View> =>
  'data' in part ? { data: show(part.data) } : part;

export const dataOf = <Data>(part: Part<Data>): Data | undefined =>
  'data' in part ? part.data : undefined;

/** The session has ended, its storage is away, or nobody waits for the page any more. */
export const isAboutThePage = (error: AppError): boolean =>
  error instanceof NotSignedInError ||
  error instanceof StorageError ||
  error.code === 'browser_left';

function whyUnavailable({ code, status, retryAfterS = 60 }: AppError): string {
  const again = `There will be more in ${waitText(retryAfterS)}.`;
  if (code === 'getbill_share_used')
    return `Your company’s share of GetBill’s hourly limit is used up. ${again}`;
  if (code === 'getbill_quota_low') {
    return `What is left of GetBill’s hourly limit is kept for the pages you open. ${again}`;
  }
  const what = `${errorText(code, status).title}.`;
  return status === 429 ? `${what} ${again}` : what;
}

/** The page is shown, and machines still see that something of it is missing. */
export function setStatusOf(res: Response, part: Part<unknown>): void {
  if ('unavailable' in part) setErrorStatus(res, part.unavailable.error);
}

/** When something was read, and why it is not newer. */
export interface AsOf {
  readonly at: InstantText;
  readonly why: string | undefined;
}

export const asOf = ({ readAtMs, failure }: Reading<unknown>, { formats }: Reader): AsOf => ({
  at: formats.time(new Date(readAtMs)),
  why: failure === undefined ? undefined : whyUnavailable(failure),
});
