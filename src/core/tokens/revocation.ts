import type { Emit } from '../events.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import type { TokenSet } from '../oauth/token-set.js';

export interface Revocations {
  /**
   * RFC 7009, best effort: refresh token first (it ends the grant at most servers), then the access token, each tried
   * twice. Never throws, and takes up to four deadlines: nobody waits for it. Does nothing without a revocation URL.
   */
  revoke(grantId: string, tokenSet: TokenSet): Promise<void>;
  /** Resolves when none is under way. */
  idle(): Promise<void>;
}

export function createRevocations({
  tokenEndpoint,
  enabled,
  emit,
  fingerprint,
}: {
  tokenEndpoint: Pick<TokenEndpoint, 'revoke'>;
  enabled: boolean;
  emit: Emit;
  fingerprint: (id: string) => string;
}): Revocations {
  const running = new Set<Promise<void>>();

  async function twice(call: () => Promise<void>): Promise<boolean> {
    const attempt = (): Promise<boolean> =>
      call().then(
        () => true,
        () => false,
      );
    return (await attempt()) || (await attempt());
  }

  async function both(grantId: string, { refreshToken, accessToken }: TokenSet): Promise<void> {
    const refreshGone =
      refreshToken === undefined ||
      (await twice(() => tokenEndpoint.revoke(refreshToken, 'refresh_token')));
    const accessGone = await twice(() => tokenEndpoint.revoke(accessToken, 'access_token'));
    emit({
      type: 'token_revoked',
      grant: fingerprint(grantId),
      outcome: refreshGone && accessGone ? 'ok' : 'failed',
    });
  }

  return {
    async revoke(grantId, tokenSet) {
      if (!enabled) return;
      const run = both(grantId, tokenSet).finally(() => running.delete(run));
      running.add(run);
      await run;
    },
    idle: async () => void (await Promise.all(running)),
  };
}
