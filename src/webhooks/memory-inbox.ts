import { boundedMap } from '../limits/bounded-map.js';
import { atMsOf } from './entry-id.js';
import type { Claim, Inbox, InboxLimits, Listed } from './inbox.js';

interface Stored {
  id: string;
  type: string;
  body: string;
  state: Listed['state'];
  tries: number;
  /** When it was last claimed; `undefined` before. */
  claimedAtMs: number | undefined;
}

/** For the demo and for tests: one process, nothing survives it. */
export function createMemoryInbox({
  now,
  limits,
}: {
  now: () => number;
  limits: InboxLimits;
}): Inbox {
  let entries: Stored[] = [];
  /** By identity. A delivery is known for longer than its entry is kept. */
  const seen = boundedMap<true>({ max: limits.maxEntries, maxAgeMs: limits.keptMs, now });
  let counter = 0;
  const find = (id: string): Stored | undefined => entries.find((entry) => entry.id === id);

  function append(type: string, body: string): 'new' | 'full' {
    if (entries.length >= limits.maxEntries) {
      const oldest = entries.findIndex(({ state }) => state !== 'waiting');
      if (oldest === -1) return 'full';
      entries.splice(oldest, 1);
    }
    const id = `${now()}-${++counter}`;
    entries.push({ id, type, body, state: 'waiting', tries: 0, claimedAtMs: undefined });
    return 'new';
  }

  return {
    async accept({ identity, type, body }) {
      if (seen.get(identity)) return 'duplicate';
      const outcome = append(type, body);
      if (outcome === 'new') seen.set(identity, true);
      return outcome;
    },
    async claim({ count }) {
      const due = entries.filter(
        ({ state, claimedAtMs, tries }) =>
          state === 'waiting' &&
          (claimedAtMs === undefined || now() - claimedAtMs >= limits.pauseMs(tries)),
      );
      return due.slice(0, count).map((entry): Claim => {
        entry.claimedAtMs = now();
        entry.tries += 1;
        return { id: entry.id, type: entry.type, body: entry.body, tries: entry.tries };
      });
    },
    async keep(id) {
      const entry = find(id);
      if (entry !== undefined) entry.claimedAtMs = now();
    },
    async done(id) {
      const entry = find(id);
      if (entry !== undefined) entry.state = 'handled';
    },
    async giveUp(id) {
      const entry = find(id);
      if (entry !== undefined) entry.state = 'given_up';
    },
    async again(id) {
      const entry = find(id);
      return entry === undefined ? 'gone' : append(entry.type, entry.body);
    },
    async recent(count) {
      return entries
        .slice(-count)
        .reverse()
        .map(({ id, type, body, state }) => ({ id, type, body, state }));
    },
    async trim() {
      const keptFromMs = now() - limits.keptMs;
      let over = entries.filter(({ state }) => state !== 'waiting').length - limits.keptEntries;
      entries = entries.filter(({ id, state }) => {
        if (state === 'waiting') return true;
        over -= 1;
        return over < 0 && atMsOf(id) > keptFromMs;
      });
    },
  };
}
