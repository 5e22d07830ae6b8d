import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { RecordError } from '../errors.js';
import type { Emit } from '../events.js';
import type { KeyValue } from '../core/storage/key-value.js';
import type { LimitClass } from './endpoints.js';
import {
  quotaFromHeaders,
  quotaSchema,
  retryAfterS,
  type QuotaState,
} from './rate-limit-headers.js';

const READ_EVERY_MS = 1_000;

/**
 * GetBill's documented limits, until the first response names the real ones; for a minute, so that a
 * wrong guess blocks nobody for long.
 */
const DOCUMENTED: Readonly<Record<LimitClass, LastLimit>> = {
  read: { most: 1000, windowMs: 60_000 },
  write: { most: 500, windowMs: 60_000 },
};

const blockSchema = z.object({ retryAfterS: z.number().positive(), id: z.string() });

export interface LastLimit {
  readonly most: number;
  readonly windowMs: number;
}

export interface QuotaDeps {
  keyValue: Pick<KeyValue, 'getWithTtl' | 'set' | 'delete'>;
  /** Sets apart installations that share a storage. */
  scope: string;
  emit: Emit;
  now: () => number;
}

/** One limit class as this process sees it: a copy of the records in the storage, and what it learnt since. */
export function createClassQuota(
  limitClass: LimitClass,
  { keyValue, scope, emit, now }: QuotaDeps,
) {
  const quotaKey = `quota:${scope}:${limitClass}`;
  const blockKey = `quota:${scope}:${limitClass}:blocked`;
  let known: { quota: QuotaState; endsAtMs: number } | undefined;
  let blockedUntilMs = 0;
  /** The last block that this process learnt; while it is not on record, it holds here alone. */
  let ownBlock: { id: string; endsAtMs: number; isOnRecord: boolean } | undefined;
  let lastLimit: LastLimit | undefined = DOCUMENTED[limitClass];
  let readAtMs = -Infinity;
  let wroteAtMs = -Infinity;
  let reading: Promise<void> | undefined;

  /** A clock that was set back makes a read due as well. */
  const isRecent = (atMs: number): boolean => now() >= atMs && now() - atMs < READ_EVERY_MS;

  async function readRecords(): Promise<void> {
    const [quota, block] = await Promise.all([
      readRecord(quotaKey, quotaSchema, ({ windowMs }) => windowMs),
      readRecord(blockKey, blockSchema, (value) => value.retryAfterS * 1000),
    ]);
    known = quota && { quota: quota.value, endsAtMs: now() + quota.ttlMs };
    if (quota !== undefined)
      lastLimit = { most: quota.value.limit, windowMs: quota.value.windowMs };
    if (block !== undefined) blockedUntilMs = endOf(block.value.id, block.ttlMs);
    else blockedUntilMs = ownBlock?.isOnRecord === false ? ownBlock.endsAtMs : 0;
    readAtMs = now();
  }

  /** Of a block on record. One of this process ends by its own clock, if that is earlier. */
  function endOf(blockId: string, ttlMs: number): number {
    const ownEndsAtMs = ownBlock?.id === blockId ? ownBlock.endsAtMs : Infinity;
    return Math.min(now() + ttlMs, ownEndsAtMs);
  }

  /** A record that is not ours, or holds for longer than it may, is deleted and counts as absent. */
  async function readRecord<Value>(
    key: string,
    schema: z.ZodType<Value>,
    maxTtlMs: (value: Value) => number,
  ): Promise<{ value: Value; ttlMs: number } | undefined> {
    try {
      const stored = await keyValue.getWithTtl(key);
      if (stored === undefined) return undefined;
      const { success, data } = schema.safeParse(jsonOrUndefined(stored.value));
      if (success && stored.ttlMs <= Math.ceil(maxTtlMs(data)))
        return { value: data, ttlMs: stored.ttlMs };
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
    }
    emit({ type: 'record_replaced', record: 'quota' });
    await keyValue.delete(key);
    return undefined;
  }

  /** A write that fails throws nothing: the next response says the same again. @returns whether it is on record. */
  async function write(key: string, value: object, ttlMs: number): Promise<boolean> {
    if (ttlMs <= 0) return false;
    return await keyValue.set(key, JSON.stringify(value), { ttlMs }).then(
      () => true,
      () => false,
    );
  }

  const current = () =>
    known !== undefined && known.endsAtMs > now()
      ? { quota: known.quota, resetInMs: known.endsAtMs - now() }
      : undefined;

  return {
    current,
    limit: () => lastLimit,
    blockedForMs: () => Math.max(0, blockedUntilMs - now()),
    read: async (): Promise<void> => {
      if (isRecent(readAtMs)) return;
      reading ??= readRecords().finally(() => {
        reading = undefined;
      });
      await reading;
    },
    async forget(): Promise<void> {
      known = undefined;
      blockedUntilMs = 0;
      ownBlock = undefined;
      lastLimit = DOCUMENTED[limitClass];
      await Promise.all([keyValue.delete(quotaKey), keyValue.delete(blockKey)]);
    },
    learn(headers: IncomingHttpHeaders): void {
      const update = quotaFromHeaders(headers, now());
      if (update === undefined) {
        if (lastLimit === DOCUMENTED[limitClass]) lastLimit = undefined; // this GetBill says no limit
        return;
      }
      lastLimit = { most: update.quota.limit, windowMs: update.quota.windowMs };
      const before = current()?.quota;
      const isSameWindow =
        before?.reset === update.quota.reset && before.limit === update.quota.limit;
      // responses arrive out of order
      const remaining = Math.min(
        update.quota.remaining,
        isSameWindow ? before.remaining : Infinity,
      );
      known = { quota: { ...update.quota, remaining }, endsAtMs: now() + update.resetInMs };
      if (isRecent(wroteAtMs) && before?.limit === update.quota.limit) return;
      wroteAtMs = now();
      void write(quotaKey, known.quota, update.resetInMs);
    },
    async block({
      headers,
      json,
    }: {
      headers: IncomingHttpHeaders;
      json: unknown;
    }): Promise<number> {
      const waitS = retryAfterS(headers, json, now());
      blockedUntilMs = now() + waitS * 1000;
      const block = { id: randomUUID(), endsAtMs: blockedUntilMs, isOnRecord: false };
      ownBlock = block;
      block.isOnRecord = await write(blockKey, { retryAfterS: waitS, id: block.id }, waitS * 1000);
      return waitS;
    },
  };
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
