import type { TokenResponse, TokenSet } from '../../../src/core/oauth/token-set.js';
import type { Host } from './scheduler.js';

/** One use of a refresh token, from the decision to call until its answer is on record. */
export interface Call {
  readonly host: Host;
  readonly grantId: string;
  readonly refreshToken: string;
  readonly madeAtMs: number;
  readonly leaseEndsAtMs: number;
  /** No usable answer reached the process: cut, too late, refused. */
  failed: boolean;
  /** The process got to know that it was refused. */
  refusalHeard: boolean;
  /** What the server gave out for it, whether or not that arrived. */
  issued: TokenResponse | undefined;
  writtenAtMs: number;
  /** The process has given its lease back. */
  over: boolean;
}

/** The truth about one grant, which no process of the model knows. */
export interface GrantFacts {
  readonly calls: Call[];
  readonly refused: Call[];
  record: TokenSet | undefined;
  recordWrittenAtMs: number;
  established: boolean;
  signOutTried: boolean;
  signedOut: boolean;
  /** A crash, an overrun lease or a lost answer in mid-renewal: after one of these strict rotation may end the grant. */
  excused: boolean;
  /** The second use of a spent refresh token that ended the grant, as strict servers do, where that can be known. */
  endedBy: Call | undefined;
  /** A note of an attempt may be missing. */
  notesDisturbed: boolean;
  /** A crash, or a storage command about the record that did not go as asked for. */
  disturbed: boolean;
}

export const newCall = (
  made: Pick<Call, 'host' | 'grantId' | 'refreshToken' | 'madeAtMs' | 'leaseEndsAtMs'>,
): Call => ({
  ...made,
  failed: false,
  refusalHeard: false,
  issued: undefined,
  writtenAtMs: Infinity,
  over: false,
});

export const unknownGrant = (): GrantFacts => ({
  calls: [],
  refused: [],
  record: undefined,
  recordWrittenAtMs: 0,
  established: false,
  signOutTried: false,
  signedOut: false,
  excused: false,
  endedBy: undefined,
  notesDisturbed: false,
  disturbed: false,
});
