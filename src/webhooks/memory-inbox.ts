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
  /** Until when a delivery is known: longer than its entry. Epoch milliseconds, by identity. */
  const seen = new Map<string, number>();
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

  function remember(identity: string): void {
    seen.delete(identity); // to the end, since the first is forgotten first
    seen.set(identity, now() + limits.keptMs);
    const [first] = seen.keys();
    if (seen.size > limits.maxEntries && first !== undefined) seen.delete(first);
  }

  return {
    async accept({ identity, type, body }) {
      if ((seen.get(identity) ?? 0) > now()) return 'duplicate';
      const outcome = append(type, body);
      if (outcome === 'new') remember(identity);
      return outcome;
    },
    async claim({ count, newOnly = false }) {
      const due = entries.filter(
        ({ state, claimedAtMs, tries }) =>
          state === 'waiting' &&
          (claimedAtMs === undefined || (!newOnly && now() - claimedAtMs >= limits.pauseMs(tries))),
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
        return over < 0 && Number(id.split('-')[0]) > keptFromMs;
      });
      for (const [identity, untilMs] of seen) if (untilMs <= now()) seen.delete(identity);
    },
  };
}
