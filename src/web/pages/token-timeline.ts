import { renewalDueAtMs, type TokenSet } from '../../core/oauth/token-set.js';
import { describeScope } from './scope-texts.js';

/** What a page may know of a token set: everything but the tokens. */
export interface Connection {
  readonly scopes: readonly { readonly name: string; readonly text: string }[];
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** `undefined` without a refresh token: then the connection ends at `expiresAt`. */
  readonly renewalAt: Date | undefined;
  readonly renewals: number;
}

export function connectionOf(tokenSet: TokenSet, { marginMs }: { marginMs: number }): Connection {
  return {
    scopes: tokenSet.scopes.map((name) => ({ name, text: describeScope(name) })),
    issuedAt: new Date(tokenSet.issuedAtMs),
    expiresAt: new Date(tokenSet.expiresAtMs),
    renewalAt: tokenSet.refreshToken === undefined ? undefined : new Date(renewalDueAtMs(tokenSet, marginMs)),
    renewals: tokenSet.renewals,
  };
}
