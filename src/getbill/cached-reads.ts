import { boundedMap } from '../limits/bounded-map.js';
import { AppError, NotSignedInError, StorageError, UnavailableError } from '../errors.js';

const MAX_READINGS = 10_000;

/** A value and when it was read. */
export interface Reading<Value> {
  readonly value: Value;
  readonly readAtMs: number;
  /** A newer value could not be read, for this reason. */
  readonly failure?: AppError;
}

/**
 * Reads that are repeated at most every `freshMs` per grant, because all users share one quota.
 * While GetBill does not give a newer value, the last one is shown with its time, for at most
 * `keptMs`.
 */
export interface CachedReads<Value> {
  /**
   * Concurrent calls share one `load`; when it ends because its browser has left, one of the others
   * starts anew. A value that is not `isComplete` is returned, and read again by the next call.
   * Throws as `load`.
   */
  get(
    grantId: string,
    load: () => Promise<Value>,
    isComplete?: (value: Value) => boolean,
  ): Promise<Reading<Value>>;
  /** The last value, without reading. */
  last(grantId: string): Value | undefined;
  /** At sign-out. */
  readonly forget: (grantId: string) => void;
}

export function createCachedReads<Value>({
  now,
  freshMs,
  keptMs,
  waitMs = Infinity,
  changedAtMs = () => undefined,
}: {
  now: () => number;
  freshMs: number;
  keptMs: number;
  /** The longest wait of a page; what arrives later is there for the next one. */
  waitMs?: number;
  /** When the grant's data was last said to have changed: what was read before is read again. */
  changedAtMs?: (grantId: string) => Promise<number | undefined> | number | undefined;
}): CachedReads<Value> {
  const readings = boundedMap<Reading<Value>>({ max: MAX_READINGS, maxAgeMs: keptMs, now });
  /** Ten tabs that open at once read once. */
  const running = new Map<string, Promise<Reading<Value>>>();

  async function loadOnce(grantId: string, load: () => Promise<Value>): Promise<Reading<Value>> {
    const started = running.get(grantId);
    if (started === undefined) return await start(grantId, load);
    try {
      return await started;
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'browser_left')) throw error;
      return await loadOnce(grantId, load); // its browser has left, which ended the call
    }
  }

  function start(grantId: string, load: () => Promise<Value>): Promise<Reading<Value>> {
    const isWanted = (): boolean => running.get(grantId) === loading; // not after a sign-out
    const readAtMs = now(); // from before the read, which may miss a change meanwhile
    const loading = load()
      .then((value) => {
        if (isWanted()) readings.set(grantId, { value, readAtMs });
        setTimeout(() => readings.sweep(), keptMs + 1).unref();
        return { value, readAtMs };
      })
      .finally(() => isWanted() && running.delete(grantId));
    running.set(grantId, loading);
    return loading;
  }

  return {
    async get(grantId, load, isComplete = () => true) {
      const changed = (await changedAtMs(grantId)) ?? -Infinity;
      const known = readings.get(grantId);
      const ageMs = now() - (known?.readAtMs ?? -Infinity);
      const isFresh = ageMs >= 0 && ageMs < freshMs;
      if (known !== undefined && isFresh && known.readAtMs > changed && isComplete(known.value)) {
        return known;
      }
      try {
        return await inTime(loadOnce(grantId, load), waitMs);
      } catch (error) {
        if (known === undefined || !(error instanceof AppError) || !isTemporary(error)) throw error;
        return { ...known, failure: error };
      }
    },
    last: (grantId) => readings.get(grantId)?.value,
    forget(grantId) {
      running.delete(grantId);
      readings.delete(grantId);
    },
  };
}

/** GetBill cannot say now; the end of a session or a missing permission is another matter. */
const isTemporary = (error: AppError): boolean =>
  !(error instanceof NotSignedInError || error instanceof StorageError) &&
  (error.status === 429 || error.status >= 500);

function inTime<Value>(reading: Promise<Value>, waitMs: number): Promise<Value> {
  if (waitMs === Infinity) return reading;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const options = { code: 'getbill_timeout', status: 504 };
      reject(new UnavailableError('GetBill is slow: the page goes without', options));
    }, waitMs);
  });
  return Promise.race([reading, late]).finally(() => clearTimeout(timer));
}
