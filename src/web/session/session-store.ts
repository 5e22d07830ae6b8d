import { RedisStore } from 'connect-redis';
import type { SessionData } from 'express-session';
import { RecordError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { boundedMap } from '../../limits/bounded-map.js';
import type { KeyValue } from '../../core/storage/key-value.js';
import { BrokenSession, sessionFrom } from './session-record.js';

const TOUCH_EVERY_MS = 60_000;
const MAX_REMEMBERED_TOUCHES = 50_000;

/**
 * connect-redis writes the records as express-session asks for it; its client is our storage port,
 * so that Redis in any topology and the demo's memory behave alike. Reading (what is not a session
 * of ours is no session) and touching (once a minute per session) are our own.
 */
export class SessionStore extends RedisStore {
  readonly #keyValue: KeyValue;
  readonly #emit: Emit;
  readonly #touchedAtMs = boundedMap<number>({ max: MAX_REMEMBERED_TOUCHES });
  readonly #touchEveryMs: number;
  readonly #now: () => number;
  readonly #monotonicMs: () => number;
  readonly #idleMs: number;
  readonly #maxMs: number;

  constructor({
    keyValue,
    emit,
    now,
    monotonicMs,
    idleMs,
    maxMs,
  }: {
    keyValue: KeyValue;
    emit: Emit;
    now: () => number;
    monotonicMs: () => number;
    idleMs: number;
    maxMs: number;
  }) {
    super({
      client: asRedisClient(keyValue),
      ttl: (session: SessionData) => Math.ceil(this.#ttlMs(session, idleMs) / 1000),
    });
    this.#keyValue = keyValue;
    this.#emit = emit;
    this.#now = now;
    this.#monotonicMs = monotonicMs;
    this.#idleMs = idleMs;
    this.#maxMs = maxMs;
    this.#touchEveryMs = Math.min(TOUCH_EVERY_MS, idleMs / 4);
  }

  override async get(
    id: string,
    callback: (error?: unknown, session?: SessionData | null) => void,
  ): Promise<void> {
    await this.read(id).then((session) => callback(null, session ?? null), callback);
  }

  /** @throws {StorageError} */
  async read(id: string): Promise<SessionData | undefined> {
    try {
      const text = await this.#keyValue.get(this.prefix + id);
      if (text !== undefined) {
        const session = sessionFrom(text);
        if (session.signedInAtMs > this.#now() - this.#maxMs) return session;
      }
      // Only ids that we have signed are asked for, so this one has been somebody's.
      this.#emit({ type: 'session_expired' });
    } catch (error) {
      if (!(error instanceof BrokenSession || error instanceof RecordError)) throw error;
      this.#emit({ type: 'session_broken', reason: error.message });
      await this.#keyValue.delete(this.prefix + id).catch(() => undefined);
    }
    return undefined;
  }

  /**
   * Never fails and never delays a response: express-session would destroy the socket of one that
   * is under way. The record lives longer by the time to the next touch, so that no session ends
   * before its idle time.
   */
  touchIfDue(id: string, session: Pick<SessionData, 'signedInAtMs'>): void {
    const nowMs = this.#monotonicMs(); // a wall clock that is set back would put off every touch
    const isDue = nowMs - (this.#touchedAtMs.get(id) ?? -Infinity) >= this.#touchEveryMs;
    if (isDue) {
      this.#touchedAtMs.set(id, nowMs);
      this.#expireAfter(id, this.#ttlMs(session, this.#idleMs + this.#touchEveryMs));
    }
  }

  override touch(id: string, session: SessionData, callback?: () => void): Promise<void> {
    this.touchIfDue(id, session);
    callback?.();
    return Promise.resolve();
  }

  /** Deletes the record; `false` when there was none any more. @throws {StorageError} */
  async end(id: string): Promise<boolean> {
    const wasThere = (await this.#keyValue.get(this.prefix + id)) !== undefined;
    await this.#keyValue.delete(this.prefix + id);
    return wasThere;
  }

  /** Gives the session exactly its idle time from now, and returns what is left of it. */
  async renewIdleTime(
    id: string,
    session: Pick<SessionData, 'signedInAtMs'>,
  ): Promise<{ leftMs: number }> {
    this.#touchedAtMs.delete(id);
    this.#expireAfter(id, this.#ttlMs(session, this.#idleMs));
    const record = await this.#keyValue.getWithTtl(this.prefix + id);
    return { leftMs: Math.min(record?.ttlMs ?? 0, this.#idleMs) };
  }

  #expireAfter(id: string, ttlMs: number): void {
    this.#keyValue
      .expire(this.prefix + id, { ttlMs })
      .catch(() => this.#emit({ type: 'session_touch_failed' }));
  }

  #ttlMs({ signedInAtMs = this.#now() }: Partial<SessionData>, idleMs: number): number {
    return Math.min(idleMs, signedInAtMs + this.#maxMs - this.#now());
  }
}

/** The four commands of ioredis that connect-redis 8 uses, spoken by the storage port. */
function asRedisClient(keyValue: KeyValue) {
  return {
    get: (key: string) => keyValue.get(key),
    set: (key: string, value: string, _ex: 'EX', ttlS: number) =>
      keyValue.set(key, value, { ttlMs: ttlS * 1000 }),
    expire: (key: string, ttlS: number) => keyValue.expire(key, { ttlMs: ttlS * 1000 }),
    del: async (keys: string[]) =>
      void (await Promise.all(keys.map((key) => keyValue.delete(key)))),
  };
}
