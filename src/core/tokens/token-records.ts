import type { Clock } from '../clock.js';
import { RecordError } from '../errors.js';
import type { Report } from '../events.js';
import { jsonObject } from '../json.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { Cipher } from '../storage/cipher.js';
import type { KeyValue } from '../storage/key-value.js';

const CLOCK_TOLERANCE_MS = 1_000;

/** A token set together with the exact stored text, which is what compare-and-set compares. */
export interface StoredTokens {
  readonly tokenSet: TokenSet;
  readonly sealed: string;
  /** When the record itself ends, by the clock of this process. */
  readonly endsAtMs: number;
}

/** `superseded` carries what another process wrote meanwhile. */
export type Change =
  | { outcome: 'done'; stored: StoredTokens }
  | { outcome: 'superseded'; stored: StoredTokens }
  | { outcome: 'gone' };

/**
 * One encrypted record per grant. Its TTL is set once, for a person to the absolute lifetime of the
 * session. A record that is not what we wrote counts as absent and is removed.
 * @throws {StorageError} from every method.
 * @throws {RecordError} `key_missing`: not readable here, and left alone.
 */
export interface TokenRecords {
  read(grantId: string): Promise<StoredTokens | undefined>;
  create(grantId: string, tokenSet: TokenSet, options: { ttlMs: number }): Promise<StoredTokens>;
  createIfAbsent(grantId: string, tokenSet: TokenSet, options: { ttlMs: number }): Promise<void>;
  replace(grantId: string, old: StoredTokens, tokenSet: TokenSet): Promise<Change>;
  removeExactly(grantId: string, old: StoredTokens): Promise<Change>;
  /** Removes any record and returns its token set, so that it can be revoked. */
  remove(grantId: string): Promise<TokenSet | undefined>;
}

export function createTokenRecords({
  keyValue,
  cipher,
  report,
  clock,
  renewedTtlMs,
}: {
  keyValue: KeyValue;
  cipher: Cipher;
  report: Report;
  clock: Pick<Clock, 'now' | 'monotonicMs'>;
  /** A replaced record lives for so long again: for the app's own tokens, which no session outlives. */
  renewedTtlMs?: number | undefined;
}): TokenRecords {
  const keyOf = (grantId: string): string => `grant:${grantId}`;

  function seal(grantId: string, tokenSet: TokenSet, endsAtMs: number): StoredTokens {
    const sealed = cipher.encrypt(JSON.stringify({ ...tokenSet, endsAtMs }), grantId);
    return { tokenSet, sealed, endsAtMs };
  }

  /**
   * By the clock of this process: what the storage says is left of the record's time tells by how much
   * the writer's clock differs. A small difference may be the time the storage took, and is left.
   */
  function open(
    grantId: string,
    sealed: string,
    left: { ttlMs: number; tookMs: number },
  ): StoredTokens {
    const { endsAtMs, ...tokenSet } = recordFrom(cipher.decrypt(sealed, grantId));
    const ourEndsAtMs = clock.now() + left.ttlMs;
    const differenceMs = ourEndsAtMs - (endsAtMs ?? ourEndsAtMs);
    const clocksDiffer = Math.abs(differenceMs) > CLOCK_TOLERANCE_MS + left.tookMs;
    if (!clocksDiffer || !Number.isFinite(differenceMs)) {
      return { tokenSet, sealed, endsAtMs: endsAtMs ?? ourEndsAtMs };
    }
    const issuedAtMs = tokenSet.issuedAtMs + differenceMs;
    const expiresAtMs = tokenSet.expiresAtMs + differenceMs;
    return { tokenSet: { ...tokenSet, issuedAtMs, expiresAtMs }, sealed, endsAtMs: ourEndsAtMs };
  }

  /** When the record will end, by the clock of this process. */
  async function prolong(grantId: string, { endsAtMs }: StoredTokens): Promise<number> {
    if (renewedTtlMs === undefined) return endsAtMs;
    try {
      await keyValue.expire(keyOf(grantId), { ttlMs: renewedTtlMs });
      return clock.now() + renewedTtlMs;
    } catch {
      return endsAtMs; // the next renewal will prolong it
    }
  }

  async function read(grantId: string): Promise<StoredTokens | undefined> {
    const startedMs = clock.monotonicMs();
    let sealed: string | undefined;
    try {
      const found = await keyValue.getWithTtl(keyOf(grantId));
      if (found === undefined) return undefined;
      sealed = found.value;
      return open(grantId, sealed, { ttlMs: found.ttlMs, tookMs: clock.monotonicMs() - startedMs });
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      if (error.code === 'record_key_missing') {
        report('key_missing', grantId, {});
        throw error;
      }
      if (sealed === undefined) await keyValue.delete(keyOf(grantId));
      else await keyValue.compareAndDelete(keyOf(grantId), sealed);
      report('session_ended', grantId, { reason: 'broken_record' });
      return undefined;
    }
  }

  return {
    read,
    async create(grantId, tokenSet, { ttlMs }) {
      const stored = seal(grantId, tokenSet, clock.now() + ttlMs);
      await keyValue.set(keyOf(grantId), stored.sealed, { ttlMs });
      return stored;
    },
    async createIfAbsent(grantId, tokenSet, { ttlMs }) {
      const { sealed } = seal(grantId, tokenSet, clock.now() + ttlMs);
      await keyValue.setIfAbsent(keyOf(grantId), sealed, { ttlMs });
    },
    async replace(grantId, old, tokenSet) {
      const mine = seal(grantId, tokenSet, await prolong(grantId, old));
      if (await keyValue.compareAndSet(keyOf(grantId), old.sealed, mine.sealed)) {
        return { outcome: 'done', stored: mine };
      }
      // "No" may be my own earlier success: the client re-sent it after a cut connection, or we did.
      const stored = await read(grantId);
      if (stored === undefined) return { outcome: 'gone' };
      const isMine = stored.tokenSet.accessToken === tokenSet.accessToken;
      return { outcome: isMine ? 'done' : 'superseded', stored };
    },
    async removeExactly(grantId, old) {
      if (await keyValue.compareAndDelete(keyOf(grantId), old.sealed)) {
        return { outcome: 'done', stored: old };
      }
      const stored = await read(grantId);
      return stored === undefined ? { outcome: 'gone' } : { outcome: 'superseded', stored };
    },
    async remove(grantId) {
      try {
        const sealed = await keyValue.take(keyOf(grantId));
        const left = { ttlMs: Infinity, tookMs: 0 };
        return sealed === undefined ? undefined : open(grantId, sealed, left).tokenSet;
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        await keyValue.delete(keyOf(grantId));
        return undefined;
      }
    },
  };
}

/** What is stored: a token set, and when its record ends by the writer's clock. */
type TokenRecord = TokenSet & { readonly endsAtMs: number | undefined };

/** @throws {RecordError} `broken` */
function recordFrom(text: string): TokenRecord {
  const record = jsonObject(text) ?? {};
  const { accessToken, refreshToken, scopes, issuedAtMs, expiresAtMs, renewals, endsAtMs } = record;
  const isRecord =
    typeof accessToken === 'string' &&
    (refreshToken === undefined || typeof refreshToken === 'string') &&
    Array.isArray(scopes) &&
    scopes.every((scope) => typeof scope === 'string') &&
    [issuedAtMs, expiresAtMs, renewals].every(Number.isFinite) &&
    (endsAtMs === undefined || Number.isFinite(endsAtMs));
  if (!isRecord) throw new RecordError('broken');
  return record as unknown as TokenRecord;
}
