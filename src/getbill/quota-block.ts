import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { QuotaRecords } from './quota-records.js';

const blockSchema = z.object({ retryAfterS: z.number().positive(), id: z.string() });

/** After a 429 nobody calls for a while: the record of it, and what this process learnt itself. */
export function createQuotaBlock(
  key: string,
  { records, now }: { records: QuotaRecords; now: () => number },
) {
  let untilMs = 0;
  /** The last one that this process learnt; while it is not on record, it holds here alone. */
  let own: { id: string; endsAtMs: number; isOnRecord: boolean } | undefined;

  /** Our own block ends by our own clock, if that is earlier. */
  const endOf = (id: string, ttlMs: number): number =>
    Math.min(now() + ttlMs, own?.id === id ? own.endsAtMs : Infinity);

  return {
    leftMs: (): number => Math.max(0, untilMs - now()),
    async read(): Promise<void> {
      const ownOnRecord = own?.isOnRecord === true ? own : undefined;
      const found = await records.read(key, blockSchema, (block) => block.retryAfterS * 1000);
      if (found !== undefined) untilMs = endOf(found.value.id, found.ttlMs);
      else if (own === ownOnRecord) untilMs = 0;
      else untilMs = own?.endsAtMs ?? 0; // not on record yet
    },
    async learn(retryAfterS: number): Promise<void> {
      untilMs = now() + retryAfterS * 1000;
      const block = { id: randomUUID(), endsAtMs: untilMs, isOnRecord: false };
      own = block;
      block.isOnRecord = await records.write(
        key,
        { retryAfterS, id: block.id },
        retryAfterS * 1000,
      );
    },
    async forget(): Promise<void> {
      untilMs = 0;
      own = undefined;
      await records.delete(key);
    },
  };
}
