import { RecordError } from '../errors.js';
import { jsonObject } from '../json.js';
import type { TokenSet } from '../oauth/token-set.js';
import { createReadRecord } from '../storage/read-record.js';
import type { Context } from './context.js';

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

export type TokenRecords = ReturnType<typeof createTokenRecords>;

/**
 * One encrypted record per grant. Its TTL is set once, for a person to the absolute lifetime of the
 * session. A record that is not what we wrote counts as absent and is removed. Every method throws
 * StorageError, and RecordError for a record that is not readable here and left alone.
 */
export function createTokenRecords({
  keyValue,
  cipher,
  report,
  clock,
  renewedTtlMs,
}: Pick<Context, 'keyValue' | 'cipher' | 'report' | 'clock' | 'renewedTtlMs'>) {
  const keyOf = (grantId: string): string => `grant:${grantId}`;
  const readRecord = createReadRecord({ keyValue, report });

  function seal(grantId: string, tokenSet: TokenSet, endsAtMs: number): StoredTokens {
    const sealed = cipher.encrypt(JSON.stringify({ ...tokenSet, endsAtMs }), grantId);
    return { tokenSet, sealed, endsAtMs };
  }

  /**
   * By the clock of this process: what the storage says is left of the record's time tells by how much
   * the writer's clock differs. A small difference may be the time the storage took, and is left.
   */
  function open(grantId: string, { value: sealed, ttlMs, tookMs }: Found): StoredTokens {
    const { endsAtMs, ...tokenSet } = recordFrom(cipher.decrypt(sealed, grantId));
    const ourEndsAtMs = clock.now() + ttlMs;
    const differenceMs = ourEndsAtMs - (endsAtMs ?? ourEndsAtMs);
    const isSmall = Math.abs(differenceMs) <= CLOCK_TOLERANCE_MS + tookMs;
    if (isSmall || !Number.isFinite(differenceMs))
      return { tokenSet, sealed, endsAtMs: endsAtMs ?? ourEndsAtMs };
    const issuedAtMs = tokenSet.issuedAtMs + differenceMs;
    const expiresAtMs = tokenSet.expiresAtMs + differenceMs;
    return { tokenSet: { ...tokenSet, issuedAtMs, expiresAtMs }, sealed, endsAtMs: ourEndsAtMs };
  }

  async function find(grantId: string): Promise<Found | undefined> {
    const startedMs = clock.monotonicMs();
    const found = await keyValue.getWithTtl(keyOf(grantId));
    return found && { ...found, tookMs: clock.monotonicMs() - startedMs };
  }

  const read = (grantId: string): Promise<StoredTokens | undefined> =>
    readRecord(
      { kind: 'tokens', key: keyOf(grantId), id: grantId },
      () => find(grantId),
      (found) => open(grantId, found),
    );

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

  return {
    read,
    async create(grantId: string, tokenSet: TokenSet, ttl: { ttlMs: number }) {
      const stored = seal(grantId, tokenSet, clock.now() + ttl.ttlMs);
      await keyValue.set(keyOf(grantId), stored.sealed, ttl);
      return stored;
    },
    async createIfAbsent(grantId: string, tokenSet: TokenSet, ttl: { ttlMs: number }) {
      const { sealed } = seal(grantId, tokenSet, clock.now() + ttl.ttlMs);
      await keyValue.setIfAbsent(keyOf(grantId), sealed, ttl);
    },
    async replace(grantId: string, old: StoredTokens, tokenSet: TokenSet): Promise<Change> {
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
    async removeExactly(grantId: string, old: StoredTokens): Promise<Change> {
      if (await keyValue.compareAndDelete(keyOf(grantId), old.sealed)) {
        return { outcome: 'done', stored: old };
      }
      const stored = await read(grantId);
      return stored === undefined ? { outcome: 'gone' } : { outcome: 'superseded', stored };
    },
    /** Removes any record and returns its token set, so that it can be revoked. */
    async remove(grantId: string): Promise<TokenSet | undefined> {
      try {
        const value = await keyValue.take(keyOf(grantId));
        if (value === undefined) return undefined;
        return open(grantId, { value, ttlMs: Infinity, tookMs: 0 }).tokenSet;
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        await keyValue.delete(keyOf(grantId));
        return undefined;
      }
    },
  };
}

/** `tookMs`: how long the storage took. */
type Found = { readonly value: string; readonly ttlMs: number; readonly tookMs: number };

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
