import type { Command } from 'commander';
import type { Progress } from './progress.js';
import type { Client } from './resources.js';

/**
 * Runs one command with a client, and ends what it needs. Work that `finishes` ends by itself soon
 * after Ctrl-C has aborted `stopping`; other work is ended.
 */
export type Run = (
  work: (client: Client, stopping: AbortSignal) => Promise<void>,
  options: Pick<Flags, 'verbose'> & { finishes?: true },
) => Promise<void>;

/** The dependencies of the commands. */
export interface Deps {
  run: Run;
  /** Prints data, on standard output. */
  print: (text: string) => void;
  /** Prints anything but data, on standard error. */
  tell: (text: string) => void;
  /** Columns of the terminal; `Infinity` where there is none. */
  width: () => number;
  /** Over pages, or over what is named. */
  progress: (noun?: string) => Progress;
  /** What went wrong, and what to do. */
  explain: (error: unknown) => string;
  /** For a command that ends in order, and did not do all of it. */
  exitWith: (code: number) => void;
}

/** Options of every command. */
export interface Flags {
  json?: true;
  verbose?: true;
}

/** Makes a subcommand that can print JSON and tell what it does. */
export type AddSubcommand = (parent: Command, name: string, description: string) => Command;
