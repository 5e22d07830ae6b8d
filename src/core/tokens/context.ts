import type { Clock } from '../clock.js';
import type { Fingerprint, RenewalTrigger, Report } from '../events.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import type { TokenResponse, TokenSet } from '../oauth/token-set.js';
import type { Cipher } from '../storage/cipher.js';
import type { KeyValue } from '../storage/key-value.js';
import type { ReadRecord } from '../storage/read-record.js';

/** What the token lifecycle needs from outside, time included. */
export interface TokensOptions {
  keyValue: KeyValue;
  cipher: Cipher;
  readRecord: ReadRecord;
  report: Report;
  fingerprint: Fingerprint;
  /** Gets a new token for `current` from the server, which may spend a refresh token. */
  renewWith: (current: TokenSet) => Promise<TokenResponse>;
  /** Whether `renewWith` can renew it; by default, whether it has a refresh token. */
  isRenewable?: (tokenSet: TokenSet) => boolean;
  /** `undefined`: nothing is revoked. */
  revoke: TokenEndpoint['revoke'] | undefined;
  renewalsPerMinute: number;
  timeoutMs: number;
  marginMs: number;
  clock: Clock;
  newId?: () => string;
}

/** What every part of the lifecycle takes. */
export interface Context extends TokensOptions {
  readonly isRenewable: (tokenSet: TokenSet) => boolean;
  readonly newId: () => string;
  /** A lease outlasts the token call, so that the call's own deadline always comes first. */
  readonly leaseMs: number;
}

/** Why a renewal is asked for. `isDue`: another caller may have renewed the record meanwhile. */
export interface RenewalReason {
  readonly trigger: RenewalTrigger;
  isDue(tokenSet: TokenSet): boolean;
}
