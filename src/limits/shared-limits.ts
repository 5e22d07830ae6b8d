import { RecordError } from '../errors.js';
import type { Emit } from '../events.js';
import type { KeyValue } from '../core/storage/key-value.js';
import { boundedMap } from './bounded-map.js';
import { singleFlight } from './single-flight.js';

const PORTIONS = 20;
const MAX_PORTIONS_KEPT = 10_000;

export interface Limit {
  readonly most: number;
  readonly windowMs: number;
}

/** Requests of one client or session a minute; a company's part of GetBill's limit. */
export type LimitKind = 'rate' | 'share';

export interface Consumption {
  readonly granted: boolean;
  /** Until the window ends. */
  readonly resetInMs: number;
}

/** What this process has taken of a limit and not consumed. */
interface Portion {
  left: number;
  /** On this process' clock. */
  readonly endsAtMs: number;
}

/**
 * Rate limits that all processes share. A process takes a twentieth of a limit from the storage at
 * once and consumes it alone, so most calls need no storage command. The limit is never exceeded;
 * what is taken and not consumed when the window ends is lost. Limits below forty are counted one
 * by one. A limit that changes is a new counter.
 */
export interface SharedLimits {
  /** @throws {StorageError} */
  consume(kind: LimitKind, name: string, limit: Limit): Promise<Consumption>;
  /** Counts what has already happened. @throws {StorageError} */
  charge(kind: LimitKind, name: string, limit: Limit, amount: number): Promise<void>;
  /** Every share that was counted here is whole again: the demo's sandbox was reset. */
  forgetShares(): Promise<void>;
}

export function createSharedLimits({
  keyValue,
  clientHash,
  emit,
  now,
}: {
  keyValue: Pick<KeyValue, 'increment' | 'delete'>;
  /** GetBill counts per client, and a storage may hold several without a prefix. */
  clientHash: string;
  emit: Emit;
  now: () => number;
}): SharedLimits {
  const portions = boundedMap<Portion>({ max: MAX_PORTIONS_KEPT });
  const refillOnce = singleFlight<Portion>();
  const deleteOnce = singleFlight<void>();
  const keyOf = (kind: LimitKind, name: string, { most, windowMs }: Limit): string =>
    `${kind}:${clientHash}:${name}:${most}/${Math.ceil(windowMs / 1000)}`;

  /** A counter that is not ours (no number, too small, without an end) is replaced. */
  async function increment(
    key: string,
    options: { ttlMs: number; by: number },
  ): Promise<{ count: number; ttlMs: number }> {
    try {
      const counted = await keyValue.increment(key, options);
      const isOurs = counted.count >= options.by && counted.ttlMs <= Math.ceil(options.ttlMs);
      if (isOurs) return counted;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
    }
    await replace(key);
    return await keyValue.increment(key, options);
  }

  const replace = (key: string): Promise<void> =>
    deleteOnce(key, () => {
      emit({ type: 'record_replaced', record: 'limit' });
      return keyValue.delete(key);
    });

  /** `left` is 0 where the limit is reached. */
  async function take(key: string, { most, windowMs }: Limit, amount: number): Promise<Portion> {
    const { count, ttlMs } = await increment(key, { ttlMs: windowMs, by: amount });
    return {
      left: Math.max(0, Math.min(amount, most - (count - amount))),
      endsAtMs: now() + ttlMs,
    };
  }

  const refill = (key: string, limit: Limit, amount: number): Promise<Portion> =>
    refillOnce(key, async () => {
      const taken = await take(key, limit, amount);
      // a copy, because consuming changes it: callers that joined must see what was taken
      portions.set(key, { ...taken });
      return taken;
    });

  function consumeOne(key: string): Portion | undefined {
    const portion = portions.get(key);
    if (portion === undefined || portion.left === 0 || portion.endsAtMs <= now()) return undefined;
    portion.left -= 1;
    return portion;
  }

  return {
    async consume(kind, name, limit) {
      const key = keyOf(kind, name, limit);
      const portionSize = Math.floor(limit.most / PORTIONS);
      if (portionSize < 2) return consumption(await take(key, limit, 1), now());
      for (;;) {
        const portion = consumeOne(key);
        if (portion !== undefined) return { granted: true, resetInMs: portion.endsAtMs - now() };
        const refilled = await refill(key, limit, portionSize);
        if (refilled.left === 0) return consumption(refilled, now());
      }
    },
    async charge(kind, name, limit, amount) {
      const key = keyOf(kind, name, limit);
      if (amount > 0) await increment(key, { ttlMs: limit.windowMs, by: amount });
    },
    async forgetShares() {
      const keys = portions.keys().filter((key) => key.startsWith('share:'));
      for (const key of keys) portions.delete(key);
      await Promise.all(keys.map((key) => keyValue.delete(key)));
    },
  };
}

const consumption = ({ left, endsAtMs }: Portion, nowMs: number): Consumption => ({
  granted: left > 0,
  resetInMs: endsAtMs - nowMs,
});
