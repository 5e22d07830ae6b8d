import type { IncomingHttpHeaders } from 'node:http';
import type { Limit } from '../limits/shared-limits.js';
import { singleFlight } from '../limits/single-flight.js';
import type { LimitClass } from './endpoints.js';
import { createQuotaBlock } from './quota-block.js';
import { createQuotaRecords, type QuotaRecordsDeps } from './quota-records.js';
import {
  limitFromHeaders,
  quotaFromHeaders,
  quotaSchema,
  retryAfterS,
  type QuotaState,
} from './rate-limit-headers.js';

const READ_EVERY_MS = 1_000;

/**
 * GetBill's documented limits, until the first response names the real ones; for a minute, so that
 * a wrong guess blocks nobody for long.
 */
const DOCUMENTED: Readonly<Record<LimitClass, Limit>> = {
  read: { most: 1000, windowMs: 60_000 },
  write: { most: 500, windowMs: 60_000 },
};

export interface QuotaDeps extends QuotaRecordsDeps {
  /** GetBill counts per client, and a storage may hold several without a prefix. */
  clientHash: string;
  now: () => number;
}

/**
 * One limit class as this process sees it: a copy of the records in the storage, and what it learnt
 * since.
 */
export function createClassQuota(limitClass: LimitClass, { clientHash, now, ...deps }: QuotaDeps) {
  const records = createQuotaRecords(deps);
  const documented = DOCUMENTED[limitClass];
  const quotaKey = `quota:${clientHash}:${limitClass}`;
  const block = createQuotaBlock(`${quotaKey}:blocked`, { records, now });
  let known: { quota: QuotaState; endsAtMs: number } | undefined;
  /** The documented one until the first response; `undefined`: GetBill has said none so far. */
  let limit: Limit | undefined = documented;
  let readAtMs = -Infinity;
  let wroteAtMs = -Infinity;
  const once = singleFlight<void>();

  /** A clock that was set back makes a read due as well. */
  const isRecent = (atMs: number): boolean => now() >= atMs && now() - atMs < READ_EVERY_MS;

  async function readRecords(): Promise<void> {
    const [quota] = await Promise.all([
      records.read(quotaKey, quotaSchema, ({ windowMs }) => windowMs),
      block.read(),
    ]);
    known = quota && { quota: quota.value, endsAtMs: now() + quota.ttlMs };
    if (quota !== undefined) limit = limitOf(quota.value);
    readAtMs = now();
  }

  const current = () =>
    known !== undefined && known.endsAtMs > now()
      ? { quota: known.quota, resetInMs: known.endsAtMs - now() }
      : undefined;

  return {
    current,
    limit: () => limit,
    blockedForMs: block.leftMs,
    read: async (): Promise<void> => {
      if (!isRecent(readAtMs)) await once('read', readRecords);
    },
    async forget(): Promise<void> {
      known = undefined;
      limit = documented;
      await Promise.all([records.delete(quotaKey), block.forget()]);
    },
    learn(headers: IncomingHttpHeaders): void {
      const update = quotaFromHeaders(headers, now());
      const said = update?.quota ?? limitFromHeaders(headers);
      if (said !== undefined) limit = limitOf(said);
      else if (limit === documented) limit = undefined;
      if (update === undefined) return;
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
      void records.write(quotaKey, known.quota, update.resetInMs);
    },
    async block(headers: IncomingHttpHeaders, json: unknown): Promise<number> {
      const waitS = retryAfterS(headers, json, now());
      await block.learn(waitS);
      return waitS;
    },
  };
}

const limitOf = ({ limit, windowMs }: Pick<QuotaState, 'limit' | 'windowMs'>): Limit => ({
  most: limit,
  windowMs,
});
