import { systemClock } from '../clock.js';
import { RecordError } from '../errors.js';
import type { KeyValue } from './key-value.js';

interface Entry {
  value: string;
  expiresAtMs: number;
}

/**
 * For the demo and for tests: one process, nothing survives it. Expired entries go when they are
 * read, or at a sweep every 1,000 writes.
 */
export function createMemoryKeyValue({
  now = systemClock.now,
}: { now?: () => number } = {}): KeyValue {
  const entries = new Map<string, Entry>();
  let writes = 0;

  function live(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (entry === undefined || entry.expiresAtMs > now()) return entry;
    entries.delete(key);
    return undefined;
  }

  function write(key: string, value: string, expiresAtMs: number): void {
    entries.set(key, { value, expiresAtMs });
    if (++writes % 1000 === 0) for (const known of entries.keys()) live(known);
  }

  return {
    get: async (key) => live(key)?.value,
    async getWithTtl(key) {
      const entry = live(key);
      return entry && { value: entry.value, ttlMs: entry.expiresAtMs - now() };
    },
    set: async (key, value, { ttlMs }) => write(key, value, now() + ttlMs),
    async setIfAbsent(key, value, { ttlMs }) {
      const present = live(key)?.value;
      if (present === undefined) write(key, value, now() + ttlMs);
      return present;
    },
    async take(key) {
      const value = live(key)?.value;
      entries.delete(key);
      return value;
    },
    async compareAndSet(key, expected, value) {
      const entry = live(key);
      if (entry?.value !== expected) return false;
      write(key, value, entry.expiresAtMs);
      return true;
    },
    compareAndDelete: async (key, expected) => live(key)?.value === expected && entries.delete(key),
    async increment(key, { ttlMs, by = 1 }) {
      const entry = live(key);
      if (!/^-?\d{1,15}$/.test(entry?.value ?? '0')) throw new RecordError('broken');
      const count = Number(entry?.value ?? 0) + by;
      const expiresAtMs = entry?.expiresAtMs ?? now() + ttlMs;
      write(key, String(count), expiresAtMs);
      return { count, ttlMs: expiresAtMs - now() };
    },
    async expire(key, { ttlMs }) {
      const entry = live(key);
      if (entry !== undefined) entry.expiresAtMs = now() + ttlMs;
    },
    delete: async (key) => void entries.delete(key),
  };
}
