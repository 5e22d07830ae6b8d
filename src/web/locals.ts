import type { TokenSet } from '../oauth/token-set.js';

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- the way Express wants it
  namespace Express {
    interface Locals {
      requestId: string;
      /** Set by the token-refresh middleware. */
      tokenSet: TokenSet;
    }
  }
}
