import type { Report } from '../events.js';
import type { TokenEndpoint } from './token-endpoint.js';
import type { TokenSet } from './token-set.js';

export type Revoke = (grantId: string, tokenSet: TokenSet) => Promise<void>;

/**
 * RFC 7009, best effort: the refresh token first (it ends the grant at most servers), then the access
 * token, each tried twice. Never throws, and takes up to four deadlines: nobody waits for it.
 * Without `revoke` (no revocation URL) nothing is called.
 */
export function createRevocations({
  revoke,
  report,
}: {
  revoke: TokenEndpoint['revoke'] | undefined;
  report: Report;
}): Revoke {
  return async (grantId, { refreshToken, accessToken }) => {
    if (revoke === undefined) return;
    const isRefreshGone =
      refreshToken === undefined || (await twice(() => revoke(refreshToken, 'refresh_token')));
    const isAccessGone = await twice(() => revoke(accessToken, 'access_token'));
    report('token_revoked', grantId, { outcome: isRefreshGone && isAccessGone ? 'ok' : 'failed' });
  };
}

async function twice(call: () => Promise<void>): Promise<boolean> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await call();
      return true;
    } catch {
      // again, once
    }
  }
  return false;
}
