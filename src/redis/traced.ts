import { channels, traced } from '../tracing.js';
import type { KeyValue } from '../core/storage/key-value.js';

/** The same storage, whose commands can be watched. */
export function tracedKeyValue(keyValue: KeyValue): KeyValue {
  const trace = <Result>(
    command: keyof KeyValue,
    key: string,
    run: () => Promise<Result>,
    ttlMs?: number,
  ): Promise<Result> => traced(channels.storage, { command, key, ttlMs }, run);
  return {
    ...keyValue,
    get: (key) => trace('get', key, () => keyValue.get(key)),
    getWithTtl: (key) => trace('getWithTtl', key, () => keyValue.getWithTtl(key)),
    set: (key, value, options) =>
      trace('set', key, () => keyValue.set(key, value, options), options.ttlMs),
    setIfAbsent: (key, value, options) =>
      trace('setIfAbsent', key, () => keyValue.setIfAbsent(key, value, options), options.ttlMs),
    take: (key) => trace('take', key, () => keyValue.take(key)),
    compareAndSet: (key, expected, value) =>
      trace('compareAndSet', key, () => keyValue.compareAndSet(key, expected, value)),
    compareAndDelete: (key, expected) =>
      trace('compareAndDelete', key, () => keyValue.compareAndDelete(key, expected)),
    increment: (key, options) =>
      trace('increment', key, () => keyValue.increment(key, options), options.ttlMs),
    expire: (key, options) =>
      trace('expire', key, () => keyValue.expire(key, options), options.ttlMs),
    delete: (key) => trace('delete', key, () => keyValue.delete(key)),
  };
}
