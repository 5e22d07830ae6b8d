import { StorageError } from '../../../src/errors.js';
import type { KeyValue } from '../../../src/core/storage/key-value.js';
import type { Plan } from './plan.js';
import type { Random } from './random.js';
import type { Host, Reply, Scheduler } from './scheduler.js';
import type { Witness } from './witness.js';

/**
 * The storage as one process sees it: every command is a round trip that may fail before or after it was carried out, be
 * carried out long after it was given up, or be carried out twice because its first answer was lost and the client sent it again.
 */
export function createModelStorage({
  store,
  scheduler,
  random,
  weather,
  witness,
}: {
  store: KeyValue;
  scheduler: Scheduler;
  random: Random;
  weather: () => Plan;
  witness: Witness;
}) {
  function isDown(): boolean {
    const { fromMs, untilMs } = weather().outage;
    return scheduler.now() >= fromMs && scheduler.now() < untilMs;
  }

  return function storageOf(host: Host): KeyValue {
    async function perform<T>(name: string, key: string, command: () => Promise<T>): Promise<T> {
      const [kind, grantId = ''] = key.split(':');
      if (kind === 'lease' && name === 'compareAndDelete') witness.leaseReleased(host, grantId);
      if (kind !== 'grant' || name === 'get') return await command();
      const before = await store.get(key);
      const result = await command();
      witness.recordCommand(host, grantId, { name, before, after: await store.get(key) });
      return result;
    }

    function send<T>(name: string, key: string, command: () => Promise<T>): Promise<T> {
      const [kind, grantId = ''] = key.split(':');
      const label = `${name} ${key}`;
      const later = (afterMs: number, words: string, run: () => unknown): void =>
        void scheduler.add({
          host: undefined,
          label: `${label} ${words}`,
          dueAtMs: scheduler.now() + afterMs,
          run,
        });

      const heard = (result: T): T => {
        if (kind === 'lease' && result === undefined) witness.leaseGranted(host, grantId);
        return result;
      };
      async function carryOut(reply: Reply<T>): Promise<void> {
        const fail = (): void => {
          witness.storageFault(kind, grantId);
          reply.reject(
            new StorageError(`${label} failed`),
            random.chance(0.3) ? random.between(1, 1_000) : 0,
          );
        };
        const fault = isDown()
          ? 'before'
          : random.chance(weather().storageFault)
            ? random.pick(FAULTS)
            : undefined;
        switch (fault) {
          case undefined:
            return reply.resolve(heard(await perform(name, key, command)));
          case 'before':
            return fail();
          case 'after':
            await perform(name, key, command);
            return fail();
          case 'late':
            later(random.between(0, 2_000), 'late', () => perform(name, key, command));
            return fail();
          case 'twice':
            heard(await perform(name, key, command));
            witness.storageFault(kind, grantId);
            return later(random.between(0, 300), 'again', async () =>
              reply.resolve(heard(await perform(name, key, command))),
            );
        }
      }
      return scheduler.request(host, label, 0, carryOut);
    }

    return {
      get: (key) => send('get', key, () => store.get(key)),
      getWithTtl: (key) => send('get', key, () => store.getWithTtl(key)),
      set: (key, value, options) => send('set', key, () => store.set(key, value, options)),
      setIfAbsent: (key, value, options) =>
        send('setIfAbsent', key, () => store.setIfAbsent(key, value, options)),
      take: (key) => send('take', key, () => store.take(key)),
      compareAndSet: (key, expected, value) =>
        send('compareAndSet', key, () => store.compareAndSet(key, expected, value)),
      compareAndDelete: (key, expected) =>
        send('compareAndDelete', key, () => store.compareAndDelete(key, expected)),
      increment: (key, options) => send('increment', key, () => store.increment(key, options)),
      expire: (key, options) => send('expire', key, () => store.expire(key, options)),
      delete: (key) => send('delete', key, () => store.delete(key)),
    };
  };
}

const FAULTS = ['before', 'after', 'late', 'twice'] as const;
