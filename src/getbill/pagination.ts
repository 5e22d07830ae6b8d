import { AppError, UnavailableError, WalkStoppedError } from '../errors.js';
import type { Page, Pagination, PageRequest } from './types.js';

/** GetBill sends no more entries of a list at once. */
export const MAX_PER_PAGE = 100;
const MAX_PAGES = 10_000;
const MAX_WAITS_PER_PAGE = 3;
const MAX_WAIT_MS = 60_000;

export interface WalkOptions {
  /** The first page, from 1: the `nextPage` of a walk that stopped. */
  from?: number;
  /** 1 to 100, default 100. To resume with `from`, pass the same value again. */
  perPage?: number;
  /** How long it may wait each time GetBill says that its limit is reached; a minute by default. */
  maxWaitMs?: number;
  onPage?: (pagination: Pagination) => void;
  onWait?: (wait: { page: number; waitMs: number }) => void;
  /** Aborted, it ends a wait at once, and the walk with an `AbortError`. */
  signal?: AbortSignal;
}

export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/**
 * Every item of a list, page after page, each page asked for when the last one is used up. At
 * GetBill's rate limit it waits as long as it is told to (`Retry-After`, `retry_after`,
 * `X-RateLimit-Reset`) and asks for the same page again.
 * @throws {WalkStoppedError} told to wait longer than `maxWaitMs`, or any other failure of a page.
 */
export type Walk = <Item>(
  list: (request: Required<Pick<PageRequest, 'page' | 'limit'>>) => Promise<Page<Item>>,
  options?: WalkOptions,
) => AsyncGenerator<Item, void, undefined>;

export function createWalk({ sleep }: { sleep: Sleep }): Walk {
  return async function* walk(list, options = {}) {
    const { from = 1, perPage = MAX_PER_PAGE, maxWaitMs = MAX_WAIT_MS } = options;
    const { onPage, onWait, signal } = options;

    async function read(page: number, waits = 0): Promise<Awaited<ReturnType<typeof list>>> {
      try {
        return await list({ page, limit: perPage });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const waitMs = error.status === 429 ? (error.retryAfterS ?? 60) * 1000 : Infinity;
        if (waitMs > maxWaitMs || waits === MAX_WAITS_PER_PAGE)
          throw new WalkStoppedError(error, { nextPage: page });
        signal?.throwIfAborted();
        onWait?.({ page, waitMs });
        await sleep(waitMs, signal);
        return await read(page, waits + 1);
      }
    }

    for (let page = from; ; page += 1) {
      if (page - from === MAX_PAGES) throw new WalkStoppedError(endless(), { nextPage: page });
      const { items, pagination } = await read(page);
      onPage?.({ ...pagination, page });
      yield* items;
      // as GetBill counts now: the list may have grown
      if (items.length === 0 || page >= pagination.pages) return;
    }
  };
}

const endless = (): UnavailableError =>
  new UnavailableError('the list does not end', { code: 'list_endless', status: 502 });
