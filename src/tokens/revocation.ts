import type { Emit } from '../events.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import type { TokenSet } from '../oauth/token-set.js';

/**
 * RFC 7009, best effort: refresh token first (it ends the grant at most servers), then the access token, each tried
 * twice. Never throws: a sign-out does not wait for GetBill. Does nothing when no revocation URL is configured.
 */
export type Revoke = (grantId: string, tokenSet: TokenSet) => Promise<void>;

export function createRevoke({
  tokenEndpoint,
  enabled,
  emit,
  fingerprint,
}: {
  tokenEndpoint: Pick<TokenEndpoint, 'revoke'>;
  enabled: boolean;
  emit: Emit;
  fingerprint: (id: string) => string;
}): Revoke {
  async function twice(call: () => Promise<void>): Promise<boolean> {
    const attempt = (): Promise<boolean> =>
      call().then(
        () => true,
        () => false,
      );
    return (await attempt()) || (await attempt());
  }

  return async function revoke(grantId, { refreshToken, accessToken }) {
    if (!enabled) return;
    const refreshGone =
      refreshToken === undefined || (await twice(() => tokenEndpoint.revoke(refreshToken, 'refresh_token')));
    const accessGone = await twice(() => tokenEndpoint.revoke(accessToken, 'access_token'));
    emit({ type: 'token_revoked', grant: fingerprint(grantId), outcome: refreshGone && accessGone ? 'ok' : 'failed' });
  };
}
