import { RecordError } from '../errors.js';
import type { RecordKind, Report } from '../events.js';
import type { KeyValue } from './key-value.js';

export type ReadRecord = ReturnType<typeof createReadRecord>;

/**
 * Every record is read through this function, because somebody else may have written under its key.
 * `find` runs the command that gets the stored value, for a lease or a count the one that writes
 * it; `parse` reads it. Either throws a RecordError for a value that is not what we wrote. That
 * value, never a newer one, is removed and reported. After that a token set counts as absent; for
 * any other record `find` runs once more.
 * @throws {RecordError} `key_missing`: written with a key unknown here; nothing more is done to it.
 * @throws {StorageError}
 */
export function createReadRecord({ keyValue, report }: { keyValue: KeyValue; report: Report }) {
  /** `id`: the grant or sign-in that the record belongs to. */
  return async function readRecord<Found extends { readonly value: string }, Parsed>(
    { kind, key, id }: { kind: RecordKind | 'tokens'; key: string; id: string },
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
