/** A verified webhook. Deliveries of one event have the same `identity`. */
export interface Delivery {
  readonly identity: string;
  readonly type: string;
  readonly body: string;
}

export type Outcome = 'new' | 'duplicate' | 'full';

/** One stored delivery. */
export interface Entry {
  /** Its place in the order of arrival, as Redis Streams number it: `<epoch milliseconds>-<n>`. */
  readonly id: string;
  readonly type: string;
  /** The raw body, decrypted. */
  readonly body: string;
}

/** An entry that this process is to handle now. */
export interface Claim extends Omit<Entry, 'body'> {
  /** `undefined` when it cannot be decrypted. */
  readonly body: string | undefined;
  /** Counts this one. */
  readonly tries: number;
}

export type EntryState = 'waiting' | 'handled' | 'given_up';

export interface Listed {
  readonly id: string;
  readonly type: string;
  readonly state: EntryState;
  readonly body: string;
}

/**
 * The deliveries of one endpoint: stored before they are acknowledged, then handled by any process.
 * Every command touches one key. @throws {StorageError} from every method.
 */
export interface Inbox {
  /**
   * Stores a delivery exactly once, for any number of simultaneous duplicates and for a crash at
   * any step: GetBill delivers again, and the second delivery completes what the first has begun.
   * `full`: the backlog is at its limit.
   */
  accept(delivery: Delivery): Promise<Outcome>;
  /**
   * Takes new entries, then those of dead processes and of failed tries whose pause is over;
   * `newOnly` saves the search for the latter. No other process gets an entry taken here.
   */
  claim(options: { count: number; newOnly?: boolean }): Promise<Claim[]>;
  /** Still being handled: restarts the pause after which another process takes the entry. */
  keep(id: string): Promise<void>;
  /** Handled: nobody gets it again. */
  done(id: string): Promise<void>;
  /** Tried too often: nobody gets it again, and the list says so. */
  giveUp(id: string): Promise<void>;
  /** Puts a copy of an entry at the end, to be handled once more. `full`: as for `accept`. */
  again(id: string): Promise<'new' | 'gone' | 'full'>;
  /** The newest first. */
  recent(count: number): Promise<Listed[]>;
  /** Forgets what is handled and too old or too much. Never what is still to be handled. */
  trim(): Promise<void>;
}

export interface InboxLimits {
  /** A delivery is refused beyond this many entries. */
  readonly maxEntries: number;
  /** Handled entries that are kept, for the list. */
  readonly keptEntries: number;
  /** Handled entries are kept this long, and a duplicate is known as one. Milliseconds. */
  readonly keptMs: number;
  /**
   * The pause before try number `tries + 1`, and the time after which a process that has not
   * finished counts as dead.
   */
  readonly pauseMs: (tries: number) => number;
}

/** 30 s, 1 min, 2 min ...: eight tries take an hour. */
export const defaultLimits: InboxLimits = {
  maxEntries: 50_000,
  keptEntries: 1_000,
  keptMs: 7 * 86_400_000,
  pauseMs: (tries) => 30_000 * 2 ** Math.max(0, tries - 1),
};
