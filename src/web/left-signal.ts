import type { Response } from 'express';

/** Aborted when the browser goes before it has its response; calls to GetBill made for it end then. */
export function leftSignal(res: Response): AbortSignal {
  const left = new AbortController();
  if (res.destroyed) left.abort();
  else
    res.once('close', () => {
      if (!res.writableFinished) left.abort();
    });
  return left.signal;
}
