import type { KeyValue } from '../core/storage/key-value.js';

const SHARES = 20;
const MOST_REMEMBERED = 10_000;

interface Limit {
  readonly most: number;
  readonly windowMs: number;
}

export interface Spent {
  readonly granted: boolean;
  /** Epoch milliseconds. */
  readonly resetAtMs: number;
}

interface Held {
  /** Of the limit it was taken from. */
  most: number;
  left: number;
  /** Epoch milliseconds. */
  resetAtMs: number;
}

/**
 * Spends from limits that all processes share, without asking the storage each time: a process takes a twentieth of a limit
 * at once and spends it alone. The limit is never exceeded; what a process has taken and not spent when the window ends
 * is lost to the others, at most a twentieth each. Limits below forty are counted one by one.
 */
export interface Allowances {
  /** A promise only where the storage has to be asked. @throws {StorageError} */
  spend(key: string, limit: Limit): Spent | Promise<Spent>;
}

export function createAllowances({
  keyValue,
  now,
}: {
  keyValue: Pick<KeyValue, 'increment'>;
  now: () => number;
}): Allowances {
  const held = new Map<string, Held>();
  const underWay = new Map<string, Promise<Held>>();

  /** `left` is 0 where the limit is reached. */
  async function take(key: string, { most, windowMs }: Limit, share: number): Promise<Held> {
    const { count, ttlMs } = await keyValue.increment(key, { ttlMs: windowMs, by: share });
    return { most, left: Math.max(0, Math.min(share, most - (count - share))), resetAtMs: now() + ttlMs };
  }

  /** One command for all who find nothing left at the same time. */
  function refill(key: string, limit: Limit, share: number): Promise<Held> {
    const running = underWay.get(key);
    if (running !== undefined) return running;
    const taking = take(key, limit, share)
      .then((taken) => keep(key, taken))
      .finally(() => underWay.delete(key));
    underWay.set(key, taking);
    return taking;
  }

  function keep(key: string, taken: Held): Held {
    held.delete(key);
    held.set(key, { ...taken });
    const [oldest] = held.keys();
    if (held.size > MOST_REMEMBERED && oldest !== undefined) held.delete(oldest);
    return taken;
  }

  /** What was taken from a limit that has changed since goes back. */
  async function giveBack(key: string, { left, resetAtMs }: Held, { windowMs }: Limit): Promise<void> {
    held.delete(key);
    if (left > 0 && resetAtMs > now()) await keyValue.increment(key, { ttlMs: windowMs, by: -left });
  }

  function spendHeld(key: string, { most }: Limit): Spent | undefined {
    const mine = held.get(key);
    if (mine === undefined || mine.most !== most || mine.left === 0 || mine.resetAtMs <= now()) return undefined;
    mine.left -= 1;
    return { granted: true, resetAtMs: mine.resetAtMs };
  }

  async function spendAfterAsking(key: string, limit: Limit): Promise<Spent> {
    const share = Math.floor(limit.most / SHARES);
    const before = held.get(key);
    if (before !== undefined && before.most !== limit.most) await giveBack(key, before, limit);
    for (;;) {
      const { left, resetAtMs } = share < 2 ? await take(key, limit, 1) : await refill(key, limit, share);
      if (left === 0 || share < 2) return { granted: left > 0, resetAtMs };
      const spent = spendHeld(key, limit);
      if (spent !== undefined) return spent;
    }
  }

  return { spend: (key, limit) => spendHeld(key, limit) ?? spendAfterAsking(key, limit) };
}
