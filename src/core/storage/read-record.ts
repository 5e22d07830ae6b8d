import { RecordError } from '../errors.js';
import type { RecordKind, Report } from '../events.js';
import type { KeyValue } from './key-value.js';

/** `id`: the grant or sign-in that the record belongs to. */
interface StoredRecord {
  readonly kind: RecordKind | 'tokens';
  readonly key: string;
  readonly id: string;
}

/**
 * Every record is read here. `find` gets what is stored, `parse` throws a RecordError for a value that
 * is not what we wrote: that value, and no newer one, is removed and reported, and counts as absent.
 * @throws {RecordError} `key_missing`: another process wrote it, and it is left alone. @throws {StorageError}
 */
export function createReadRecord({
  keyValue,
  report,
}: {
  keyValue: Pick<KeyValue, 'delete' | 'compareAndDelete'>;
  report: Report;
}) {
  return async function readRecord<Found extends { readonly value: string }, Parsed>(
    { kind, key, id }: StoredRecord,
    find: () => Promise<Found | undefined>,
    parse: (found: Found) => Parsed,
  ): Promise<Parsed | undefined> {
    let found: Found | undefined;
    try {
      found = await find();
      return found && parse(found);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      if (error.code === 'record_key_missing') {
        report('key_missing', id, {});
        throw error;
      }
    }
    if (found === undefined) await keyValue.delete(key);
    else await keyValue.compareAndDelete(key, found.value);
    if (kind === 'tokens') {
      report('session_ended', id, { reason: 'broken_record' });
      return undefined;
    }
    report('record_replaced', id, { record: kind });
    const next = await find();
    return next && parse(next);
  };
}

export type ReadRecord = ReturnType<typeof createReadRecord>;
