import { isAfter } from './entry-id.js';
import type { EntryState, Inbox, Listed } from './inbox.js';
import {
  GROUP,
  pairs,
  type Pending,
  type RawEntry,
  type RedisStream,
} from './redis-inbox-stream.js';

/** `Inbox.recent`: the newest entries, each with where it stands. */
export function createRecent({
  redis,
  key: stream,
  givenUpKey,
  call,
  callString,
  withGroup,
  entryFrom,
}: RedisStream): Inbox['recent'] {
  return async function recent(count) {
    await withGroup();
    const raws = await call(
      () => redis.xrevrange(stream, '+', '-', 'COUNT', count) as Promise<RawEntry[]>,
    );
    const ids = raws.map(([id]) => id);
    const [givenUp, waiting] = await Promise.all([givenUpOf(ids), waitingOf(ids)]);
    const stateOf = (id: string): EntryState => {
      if (givenUp.has(id)) return 'given_up';
      return waiting.has(id) ? 'waiting' : 'handled';
    };
    return raws.flatMap((raw): Listed[] => {
      const entry = entryFrom(raw);
      return entry === undefined ? [] : [{ ...entry, state: stateOf(entry.id) }];
    });
  };

  async function givenUpOf(ids: string[]): Promise<Set<string>> {
    const marks = await Promise.all(
      ids.map((id) => {
        const key = givenUpKey(id);
        return callString(key, () => redis.get(key));
      }),
    );
    return new Set(ids.filter((_id, index) => marks[index] !== null));
  }

  /** Delivered and not acknowledged, or not delivered yet. */
  async function waitingOf(ids: string[]): Promise<Set<string>> {
    const [newest, oldest] = [ids[0], ids.at(-1)];
    if (newest === undefined || oldest === undefined) return new Set();
    const [pending, groups] = await Promise.all([
      call(() => redis.xpending(stream, GROUP, oldest, newest, ids.length) as Promise<Pending[]>),
      call(() => redis.xinfo('GROUPS', stream) as Promise<unknown[][]>),
    ]);
    const delivered = pairs((groups[0] ?? []).map(String))['last-delivered-id'] ?? '0-0';
    const open = new Set(pending.map(([id]) => id));
    return new Set(ids.filter((id) => open.has(id) || isAfter(id, delivered)));
  }
}
