import type { Claim, Inbox, InboxLimits, Listed } from './inbox.js';

interface Stored {
  id: string;
  identity: string;
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
  let counter = 0;
  const find = (id: string): Stored | undefined => entries.find((entry) => entry.id === id);

  function append(identity: string, type: string, body: string): void {
    const id = `${now()}-${++counter}`;
    entries.push({ id, identity, type, body, state: 'waiting', tries: 0, claimedAtMs: undefined });
  }

  return {
    async accept({ identity, type, body }) {
      if (entries.some((entry) => entry.identity === identity)) return 'duplicate';
      if (entries.length >= limits.maxEntries) {
        const oldest = entries.findIndex(({ state }) => state !== 'waiting');
        if (oldest === -1) return 'full';
        entries.splice(oldest, 1);
      }
      append(identity, type, body);
      return 'new';
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
      if (entry === undefined) return false;
      append(entry.identity, entry.type, entry.body);
      return true;
    },
    async recent(count) {
      return entries
        .slice(-count)
        .reverse()
        .map(({ id, type, body, state }) => ({ id, type, body, state }));
    },
    async trim() {
      const keptFromMs = now() - limits.keptMs;
      entries = entries.filter(
        ({ id, state }) => state === 'waiting' || Number(id.split('-')[0]) > keptFromMs,
      );
    },
  };
}
