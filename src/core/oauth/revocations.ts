import type { Background } from '../background.js';
import type { Report } from '../events.js';
import type { TokenEndpoint } from './token-endpoint.js';
import type { TokenSet } from './token-set.js';

const MAX_REMOVALS = 1_000;

export type Revocations = ReturnType<typeof createRevocations>;

/** RFC 7009, in the background: nobody waits for it. Without a revocation URL nothing is called. */
export function createRevocations({
  revoke,
  report,
  background,
}: {
  revoke: TokenEndpoint['revoke'] | undefined;
  report: Report;
  background: Background;
}) {
  /** The last token set that was revoked of each grant whose record is still to be deleted. */
  const started = new Map<string, { accessToken: string; over: Promise<void> }>();

  /**
   * Best effort: the refresh token first (it ends the grant at most servers), then the access token, each
   * tried twice. Never throws, and takes up to four deadlines.
   */
  async function call(grantId: string, { refreshToken, accessToken }: TokenSet): Promise<void> {
    if (revoke === undefined) return;
    const isRefreshGone =
      refreshToken === undefined || (await twice(() => revoke(refreshToken, 'refresh_token')));
    const isAccessGone = await twice(() => revoke(accessToken, 'access_token'));
    report('token_revoked', grantId, { outcome: isRefreshGone && isAccessGone ? 'ok' : 'failed' });
  }

  const run = (grantId: string, tokenSet: TokenSet) => background.run(call(grantId, tokenSet));

  return {
    /** Resolves when it is over. */
    run,
    /** For a removal, which may be tried often: the same token set is revoked once, until `removed`. */
    async runOnce(grantId: string, tokenSet: TokenSet | undefined): Promise<void> {
      const earlier = started.get(grantId);
      if (tokenSet === undefined || tokenSet.accessToken === earlier?.accessToken)
        return await earlier?.over;
      const over = run(grantId, tokenSet);
      started.set(grantId, { accessToken: tokenSet.accessToken, over });
      const [oldest] = started.keys();
      if (started.size > MAX_REMOVALS && oldest !== undefined) started.delete(oldest);
      await over;
    },
    removed: (grantId: string): void => void started.delete(grantId),
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
