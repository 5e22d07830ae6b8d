import type { Report } from '../events.js';
import type { TokenEndpoint } from './token-endpoint.js';
import type { TokenSet } from './token-set.js';

export interface Revocations {
  /**
   * RFC 7009, best effort: the refresh token first (it ends the grant at most servers), then the
   * access token, each tried twice. Never throws, and takes up to four deadlines: nobody waits for it.
   */
  revoke(grantId: string, tokenSet: TokenSet): Promise<void>;
  /** Resolves when none is under way. */
  idle(): Promise<void>;
}

/** Without `revoke` (no revocation URL) nothing is called. */
export function createRevocations({
  revoke,
  report,
}: {
  revoke: TokenEndpoint['revoke'] | undefined;
  report: Report;
}): Revocations {
  const running = new Set<Promise<void>>();

  async function both(
    call: TokenEndpoint['revoke'],
    grantId: string,
    { refreshToken, accessToken }: TokenSet,
  ): Promise<void> {
    const refreshGone =
      refreshToken === undefined || (await twice(() => call(refreshToken, 'refresh_token')));
    const accessGone = await twice(() => call(accessToken, 'access_token'));
    report('token_revoked', grantId, { outcome: refreshGone && accessGone ? 'ok' : 'failed' });
  }

  return {
    async revoke(grantId, tokenSet) {
      if (revoke === undefined) return;
      const run = both(revoke, grantId, tokenSet).finally(() => running.delete(run));
      running.add(run);
      await run;
    },
    idle: async () => void (await Promise.all(running)),
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
