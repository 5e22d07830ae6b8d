import { RedisStore } from 'connect-redis';
import type { SessionData } from 'express-session';
import { RecordError } from '../../errors.js';
import type { Emit } from '../../events.js';
import type { KeyValue } from '../../core/storage/key-value.js';

declare module 'express-session' {
  interface SessionData {
    signedInAtMs: number;
    csrfSecret: string;
  }
}

const TOUCH_EVERY_MS = 60_000;
const MOST_REMEMBERED_TOUCHES = 50_000;

/**
 * connect-redis over the storage port, so that Redis in any topology and the memory of the demo behave alike. Tolerant
 * where it reads (what is not a session of ours is no session), sparing where it touches (once a minute per session).
 */
export class SessionStore extends RedisStore {
  readonly #keyValue: KeyValue;
  readonly #emit: Emit;
  readonly #touchedAtMs = new Map<string, number>();
  readonly #touchEveryMs: number;
  readonly #now: () => number;
  readonly #maxMs: number;

  constructor({
    keyValue,
    emit,
    now,
    idleMs,
    maxMs,
  }: {
    keyValue: KeyValue;
    emit: Emit;
    now: () => number;
    idleMs: number;
    maxMs: number;
  }) {
    super({
      client: asRedisClient(keyValue),
      // min(idle, what is left of the absolute lifetime), in seconds
      ttl: (session: SessionData) => Math.ceil(Math.min(idleMs, session.signedInAtMs + maxMs - now()) / 1000),
    });
    this.#keyValue = keyValue;
    this.#emit = emit;
    this.#now = now;
    this.#maxMs = maxMs;
    this.#touchEveryMs = Math.min(TOUCH_EVERY_MS, idleMs / 4);
  }

  override async get(id: string, callback: (error?: unknown, session?: SessionData | null) => void): Promise<void> {
    await this.read(id).then((session) => callback(null, session ?? null), callback);
  }

  /** @throws {StorageError} */
  async read(id: string): Promise<SessionData | undefined> {
    try {
      const text = await this.#keyValue.get(this.prefix + id);
      if (text !== undefined) {
        const session = sessionFrom(text, { oldestMs: this.#now() - this.#maxMs });
        if (session !== undefined) return session;
      }
      // express-session asks only for ids that it has signed, so this one has been somebody's.
      this.#emit({ type: 'session_expired' });
    } catch (error) {
      if (!(error instanceof BrokenSession || error instanceof RecordError)) throw error;
      this.#emit({ type: 'session_broken', reason: error.message });
      await this.#keyValue.delete(this.prefix + id).catch(() => undefined);
    }
    return undefined;
  }

  /** Never fails and never delays an answer: express-session would destroy the socket of one that is under way. */
  override touch(id: string, session: SessionData, callback?: () => void): Promise<void> {
    const nowMs = this.#now();
    if (nowMs - (this.#touchedAtMs.get(id) ?? 0) >= this.#touchEveryMs) {
      this.#touchedAtMs.delete(id);
      this.#touchedAtMs.set(id, nowMs);
      const [oldest] = this.#touchedAtMs.keys();
      if (this.#touchedAtMs.size > MOST_REMEMBERED_TOUCHES && oldest !== undefined) this.#touchedAtMs.delete(oldest);
      void super.touch(id, session, (error?: unknown) => {
        if (error) this.#emit({ type: 'session_touch_failed' });
      });
    }
    callback?.();
    return Promise.resolve();
  }
}

class BrokenSession extends Error {}

/** `undefined` past the absolute lifetime. @throws {BrokenSession} not a session that sign-in wrote. */
function sessionFrom(text: string, { oldestMs }: { oldestMs: number }): SessionData | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BrokenSession('not JSON');
  }
  if (!isSession(value)) throw new BrokenSession('not a session');
  return value.signedInAtMs > oldestMs ? value : undefined;
}

function isSession(value: unknown): value is SessionData {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { cookie, signedInAtMs, csrfSecret } = value as Partial<Record<keyof SessionData, unknown>>;
  return (
    typeof cookie === 'object' && cookie !== null && typeof signedInAtMs === 'number' && typeof csrfSecret === 'string'
  );
}

/** The five commands of ioredis that connect-redis 8 uses, spoken by the storage port. */
function asRedisClient(keyValue: KeyValue) {
  return {
    get: (key: string) => keyValue.get(key),
    set: (key: string, value: string, _ex: 'EX', ttlS: number) => keyValue.set(key, value, { ttlMs: ttlS * 1000 }),
    expire: (key: string, ttlS: number) => keyValue.expire(key, { ttlMs: ttlS * 1000 }),
    del: async (keys: string[]) => void (await Promise.all(keys.map((key) => keyValue.delete(key)))),
  };
}
