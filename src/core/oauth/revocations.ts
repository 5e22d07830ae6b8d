import type { Background } from '../background.js';
import { MisconfiguredError } from '../errors.js';
import type { Report } from '../events.js';
import type { TokenEndpoint } from './token-endpoint.js';
import type { TokenSet } from './token-set.js';

const MAX_REMOVALS = 1_000;

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
  /** By grant whose record is still to be deleted: the token set that was revoked last. */
  const started = new Map<string, { tokenSet: TokenSet; done: Promise<boolean> }>();

  /**
   * Best effort: the refresh token first (it ends the grant at most servers), then the access
   * token, each tried twice. Never throws; up to four deadlines. @returns whether both were taken.
   */
  async function revokeSet(grantId: string, { refreshToken, accessToken }: TokenSet) {
    if (revoke === undefined) return true;
    const isRefreshGone =
      refreshToken === undefined || (await tryTwice(() => revoke(refreshToken, 'refresh_token')));
    const isAccessGone = await tryTwice(() =>
      revoke(accessToken, 'access_token').catch((error: unknown) => {
        if (refreshToken === undefined || !isUnsupported(error)) throw error;
      }),
    );
    const isGone = isRefreshGone && isAccessGone;
    report('token_revoked', grantId, { outcome: isGone ? 'ok' : 'failed' });
    return isGone;
  }

  const run = (grantId: string, tokenSet: TokenSet) => background.run(revokeSet(grantId, tokenSet));

  return {
    /** Resolves when it is over. */
    run,
    /** While a removal is tried again and again: the same token set is revoked once. */
    runOnce(grantId: string, tokenSet: TokenSet | undefined): void {
      if (tokenSet === undefined) return;
      if (tokenSet.accessToken === started.get(grantId)?.tokenSet.accessToken) return;
      started.set(grantId, { tokenSet, done: run(grantId, tokenSet) });
      const [oldest] = started.keys();
      if (started.size > MAX_REMOVALS && oldest !== undefined) started.delete(oldest);
    },
    /** After the removal: once more where `runOnce` has failed. Resolves when it is over. */
    async finish(grantId: string, removed: TokenSet | undefined): Promise<void> {
      const earlier = started.get(grantId);
      started.delete(grantId);
      const tokenSet = removed ?? earlier?.tokenSet; // removed by a try whose reply was lost
      const hasSucceeded = (await earlier?.done) === true;
      const isRevoked = hasSucceeded && earlier?.tokenSet.accessToken === tokenSet?.accessToken;
      if (tokenSet !== undefined && !isRevoked) await run(grantId, tokenSet);
    },
  };
}

/** RFC 7009 section 2.2.1: a server may revoke refresh tokens alone; the others run out. */
const isUnsupported = (error: unknown): boolean =>
  error instanceof MisconfiguredError && error.code === 'unsupported_token_type';

const tryTwice = (call: () => Promise<void>): Promise<boolean> =>
  call()
    .catch(call)
    .then(
      () => true,
      () => false,
    );
