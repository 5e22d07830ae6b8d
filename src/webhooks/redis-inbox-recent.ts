import { isAfter } from './entry-id.js';
import type { Inbox, Listed } from './inbox.js';
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
    const [failed, waiting] = await Promise.all([whichGivenUp(ids), whichWaiting(ids)]);
    return raws.flatMap((raw): Listed[] => {
      const entry = entryFrom(raw);
      if (entry === undefined) return [];
      const { id } = entry;
      const state = failed.has(id) ? 'given_up' : waiting(id) ? 'waiting' : 'handled';
      return [{ ...entry, state }];
    });
  };

  async function whichGivenUp(ids: string[]): Promise<Set<string>> {
    const marks = await Promise.all(
      ids.map((id) => {
        const key = givenUpKey(id);
        return callString(key, () => redis.get(key));
      }),
    );
    return new Set(ids.filter((_id, index) => marks[index] !== null));
  }

  /** Delivered and not acknowledged, or not delivered yet. */
  async function whichWaiting(ids: string[]): Promise<(id: string) => boolean> {
    const [newest, oldest] = [ids[0], ids.at(-1)];
    if (newest === undefined || oldest === undefined) return () => false;
    const [pending, groups] = await Promise.all([
      call(() => redis.xpending(stream, GROUP, oldest, newest, ids.length) as Promise<Pending[]>),
      call(() => redis.xinfo('GROUPS', stream) as Promise<unknown[][]>),
    ]);
    const delivered = pairs((groups[0] ?? []).map(String))['last-delivered-id'] ?? '0-0';
    const open = new Set(pending.map(([id]) => id));
    return (id) => open.has(id) || isAfter(id, delivered);
  }
}
