import { randomUUID } from 'node:crypto';
import type { Emit, Fingerprint, RenewalTrigger } from '../events.js';
import { createReport, type Report } from '../events.js';
import type { Clock } from '../clock.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import type { TokenResponse, TokenSet } from '../oauth/token-set.js';
import type { Cipher } from '../storage/cipher.js';
import type { KeyValue } from '../storage/key-value.js';
import { createReadRecord, type ReadRecord } from '../storage/read-record.js';

/** What the token lifecycle needs from outside, time included. */
export interface TokensOptions {
  keyValue: KeyValue;
  cipher: Cipher;
  /** Gets a new token for `current` from the server, which may spend a refresh token. */
  renewWith: (current: TokenSet) => Promise<TokenResponse>;
  /** By default what has a refresh token. */
  isRenewable?: (tokenSet: TokenSet) => boolean;
  /** `undefined`: nothing is revoked. */
  revoke: TokenEndpoint['revoke'] | undefined;
  renewalsPerMinute: number;
  timeoutMs: number;
  marginMs: number;
  emit: Emit;
  fingerprint: Fingerprint;
  clock: Clock;
  newId?: () => string;
}

/** What every part of the lifecycle takes. */
export interface Context extends TokensOptions {
  readonly isRenewable: (tokenSet: TokenSet) => boolean;
  readonly newId: () => string;
  readonly report: Report;
  readonly readRecord: ReadRecord;
  /** The end of a lease: it outlasts the token call, so that the call's own deadline always comes first. */
  readonly leaseMs: number;
}

/** Why a renewal is asked for. `isDue`: another caller may have renewed the record meanwhile. */
export interface RenewalReason {
  readonly trigger: RenewalTrigger;
  isDue(tokenSet: TokenSet): boolean;
}

const LEASE_SPARE_MS = 3_000;

export function createContext(options: TokensOptions): Context {
  const { keyValue, emit, fingerprint, timeoutMs } = options;
  const report = createReport(emit, fingerprint);
  const readRecord = createReadRecord({ keyValue, report });
  const leaseMs = timeoutMs + LEASE_SPARE_MS;
  const defaults = { isRenewable: hasRefreshToken, newId: randomUUID };
  return { ...defaults, ...options, report, readRecord, leaseMs };
}

const hasRefreshToken = ({ refreshToken }: TokenSet): boolean => refreshToken !== undefined;
