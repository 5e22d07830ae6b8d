import type { z } from 'zod';
import { RecordError } from '../errors.js';
import type { Emit } from '../events.js';
import type { KeyValue } from '../core/storage/key-value.js';

export type QuotaRecords = ReturnType<typeof createQuotaRecords>;

export interface QuotaRecordsDeps {
  keyValue: Pick<KeyValue, 'getWithTtl' | 'set' | 'delete'>;
  emit: Emit;
}

/** What all processes know of GetBill's limits: JSON that expires with the window it is about. */
export function createQuotaRecords({ keyValue, emit }: QuotaRecordsDeps) {
  return {
    /**
     * A record that is not ours, or holds for longer than it may, is deleted and counts as absent.
     * @throws {StorageError}
     */
    async read<Value>(
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
    },
    /**
     * A write that fails throws nothing: the next response says the same again. @returns whether it
     * is on record.
     */
    async write(key: string, value: object, ttlMs: number): Promise<boolean> {
      if (ttlMs <= 0) return false;
      return await keyValue.set(key, JSON.stringify(value), { ttlMs }).then(
        () => true,
        () => false,
      );
    },
    delete: (key: string): Promise<void> => keyValue.delete(key),
  };
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
