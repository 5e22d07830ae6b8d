/** The storage port: one key per operation, for Redis Cluster. @throws {StorageError} in each. */
export interface KeyValue {
  /** @throws {RecordError} `broken` when the key holds another Redis type. */
  get(key: string): Promise<string | undefined>;
  /** `ttlMs` is what is left of it, `Infinity` for a key that never expires. Throws as `get`. */
  getWithTtl(key: string): Promise<{ value: string; ttlMs: number } | undefined>;
  set(key: string, value: string, options: { ttlMs: number }): Promise<void>;
  /** The value another holder has there, or `undefined` when ours was written. */
  setIfAbsent(key: string, value: string, options: { ttlMs: number }): Promise<string | undefined>;
  /** Reads and deletes in one step: of concurrent callers exactly one gets the value. */
  take(key: string): Promise<string | undefined>;
  /** Keeps the TTL. `false` may also mean that a re-sent command has done it before: read again. */
  compareAndSet(key: string, expected: string, value: string): Promise<boolean>;
  compareAndDelete(key: string, expected: string): Promise<boolean>;
  /**
   * Counts up by one, or `by`; the TTL starts with the first count. `ttlMs`: what is left of it,
   * `Infinity` for a key that never expires. @throws {RecordError} `broken` when it is no number.
   */
  increment(
    key: string,
    options: { ttlMs: number; by?: number },
  ): Promise<{ count: number; ttlMs: number }>;
  expire(key: string, options: { ttlMs: number }): Promise<void>;
  delete(key: string): Promise<void>;
}
