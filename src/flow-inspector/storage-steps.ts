import type { StorageCommand } from '../tracing.js';
import type { TopicName } from './topics.js';

/** A storage command that belongs to the story, and what its result means. */
interface ShownCommand {
  readonly title: string;
  readonly topic: TopicName;
  readonly result: (result: unknown) => string;
}

const stored = (): string => 'stored';
const deleted = (): string => 'deleted';

/**
 * By command and the first part of the key. Whatever is not here (reads, counters) is not shown.
 */
const shownCommands: Readonly<Record<string, ShownCommand>> = {
  'set login': { title: 'Keep the pending sign-in', topic: 'pending_login', result: stored },
  'take login': {
    title: 'Take the pending sign-in, once',
    topic: 'pending_login',
    result: (value) =>
      value === undefined ? 'there is none (any more)' : 'taken, and gone from now on',
  },
  'set sess': { title: 'Write the session', topic: 'session', result: stored },
  'delete sess': { title: 'Delete the session', topic: 'session', result: deleted },
  'set grant': { title: 'Keep the tokens, encrypted', topic: 'tokens_record', result: stored },
  'take grant': {
    title: 'Delete the tokens',
    topic: 'logout',
    result: (value) => (value === undefined ? 'there were none' : 'deleted'),
  },
  'compareAndSet grant': {
    title: 'Replace the tokens, if unchanged',
    topic: 'rotation',
    result: (value) => (value === true ? 'replaced' : 'changed meanwhile: not replaced'),
  },
  'compareAndDelete grant': {
    title: 'Delete the tokens, if unchanged',
    topic: 'ended',
    result: (value) => (value === true ? 'deleted' : 'changed meanwhile: not deleted'),
  },
  'setIfAbsent lease': {
    title: 'Ask for the lease',
    topic: 'lease',
    result: (value) =>
      value === undefined
        ? 'granted: this process leads'
        : 'another process has it: this one waits',
  },
  'compareAndDelete lease': {
    title: 'Give the lease back',
    topic: 'lease',
    result: () => 'given back',
  },
  'set backoff': { title: 'Pause renewals, in all processes', topic: 'pause', result: stored },
};

const commands: Readonly<Record<string, string>> = {
  set: 'SET',
  take: 'GETDEL',
  delete: 'DEL',
  setIfAbsent: 'SET NX',
  compareAndSet: 'EVAL compare-and-set',
  compareAndDelete: 'EVAL compare-and-delete',
};

export interface StorageStep extends ShownCommand {
  /** The command, its key masked. */
  readonly line: string;
}

export function storageStep(
  { command, key, ttlMs }: StorageCommand,
  mask: (id: string) => string,
): StorageStep | undefined {
  const [kind = '', ...rest] = key.split(':');
  const found = shownCommands[`${command} ${kind}`];
  if (found === undefined) return undefined;
  const lifetime = ttlMs === undefined ? '' : ` PX ${Math.ceil(ttlMs)}`;
  return {
    ...found,
    line: `${commands[command] ?? command} ${kind}:${mask(rest.join(':'))}${lifetime}`,
  };
}
