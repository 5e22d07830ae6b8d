import { RecordError } from '../errors.js';
import { jsonObject } from '../json.js';
import type { TokenSet } from '../oauth/token-set.js';
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
export type Change = { outcome: 'done' | 'superseded'; stored: StoredTokens } | { outcome: 'gone' };

export type TokenRecords = ReturnType<typeof createTokenRecords>;
type Needs = Pick<Context, 'keyValue' | 'cipher' | 'readRecord' | 'clock'>;

/**
 * One encrypted record per grant. Its TTL is set once, for a person to the absolute lifetime of the
 * session. A record that is not what we wrote counts as absent and is removed. Every method throws
 * StorageError, and RecordError for a record that is not readable here and left alone.
 */
export function createTokenRecords({ keyValue, cipher, readRecord, clock }: Needs) {
  const keyOf = (grantId: string): string => `grant:${grantId}`;

  function seal(grantId: string, tokenSet: TokenSet, endsAtMs: number): StoredTokens {
    const sealed = cipher.encrypt(JSON.stringify({ ...tokenSet, endsAtMs }), grantId);
    return { tokenSet, sealed, endsAtMs };
  }

  const open = (grantId: string, sealed: string): TokenRecord =>
    recordFrom(cipher.decrypt(sealed, grantId));

  async function read(grantId: string): Promise<StoredTokens | undefined> {
    const key = keyOf(grantId);
    const startedMs = clock.monotonicMs();
    return await readRecord(
      { kind: 'tokens', key, id: grantId },
      () => keyValue.getWithTtl(key),
      ({ value: sealed, ttlMs }) => {
        const tookMs = clock.monotonicMs() - startedMs;
        const record = byOurClock(open(grantId, sealed), { endsAtMs: clock.now() + ttlMs, tookMs });
        return { ...record, sealed };
      },
    );
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
      const mine = seal(grantId, tokenSet, old.endsAtMs);
      if (await keyValue.compareAndSet(keyOf(grantId), old.sealed, mine.sealed))
        return { outcome: 'done', stored: mine };
      // "No" may be our own earlier success: re-sent after a cut connection, or tried again.
      const stored = await read(grantId);
      if (stored === undefined) return { outcome: 'gone' };
      const isMine = stored.tokenSet.accessToken === tokenSet.accessToken;
      return { outcome: isMine ? 'done' : 'superseded', stored };
    },
    async removeExactly(grantId: string, old: StoredTokens): Promise<Change> {
      if (await keyValue.compareAndDelete(keyOf(grantId), old.sealed))
        return { outcome: 'done', stored: old };
      const stored = await read(grantId);
      return stored === undefined ? { outcome: 'gone' } : { outcome: 'superseded', stored };
    },
    /** Removes any record and returns its token set, so that it can be revoked. */
    async remove(grantId: string): Promise<TokenSet | undefined> {
      try {
        const sealed = await keyValue.take(keyOf(grantId));
        return sealed === undefined ? undefined : open(grantId, sealed).tokenSet;
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        await keyValue.delete(keyOf(grantId));
        return undefined;
      }
    },
  };
}

/** What is sealed: a token set and the end of its record, by the clock of the writing process. */
type TokenRecord = Omit<StoredTokens, 'sealed'>;

/**
 * The record by the clock of this process. The writer sealed the end of the record by its own
 * clock, the storage's TTL tells it by ours: they differ as the clocks do, and by the read.
 */
function byOurClock(
  record: TokenRecord,
  { endsAtMs, tookMs }: { endsAtMs: number; tookMs: number },
): TokenRecord {
  const aheadMs = endsAtMs - record.endsAtMs;
  const isSameClock = Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS + tookMs;
  if (isSameClock || aheadMs === Infinity) return record; // a record without a TTL tells nothing
  const { tokenSet } = record;
  const issuedAtMs = tokenSet.issuedAtMs + aheadMs;
  const expiresAtMs = tokenSet.expiresAtMs + aheadMs;
  return { tokenSet: { ...tokenSet, issuedAtMs, expiresAtMs }, endsAtMs };
}

/** @throws {RecordError} `broken` */
function recordFrom(text: string): TokenRecord {
  const { endsAtMs, ...tokenSet } = jsonObject(text) ?? {};
  const { accessToken, refreshToken, scopes, issuedAtMs, expiresAtMs, renewals } = tokenSet;
  const isRecord =
    typeof accessToken === 'string' &&
    (refreshToken === undefined || typeof refreshToken === 'string') &&
    Array.isArray(scopes) &&
    scopes.every((scope) => typeof scope === 'string') &&
    [issuedAtMs, expiresAtMs, renewals, endsAtMs].every(Number.isFinite);
  if (!isRecord) throw new RecordError('broken');
  return { tokenSet: tokenSet as unknown as TokenSet, endsAtMs: endsAtMs as number };
}
