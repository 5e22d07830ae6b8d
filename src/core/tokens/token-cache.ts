import type { Clock } from '../clock.js';
import type { TokenSet } from '../oauth/token-set.js';

const MAX_RECENT = 5_000;
const RECENT_MS = 450_000;

/**
 * The token sets that this process has used lately: at most 10,000, each at most 15 minutes after its last use, because
 * a session may end in another process, which tells nobody. Only a hint: the session is read on every request.
 */
export function createTokenCache({ now }: Pick<Clock, 'now'>) {
  let recent = new Map<string, TokenSet>();
  let earlier = recent;
  let sinceMs = now();

  /** What is not used while others are `recent` is dropped with `earlier`. */
  function sweep(): void {
    const isRecent = Math.abs(now() - sinceMs) < RECENT_MS; // the clock may be set back
    if (isRecent && recent.size < MAX_RECENT) return;
    earlier = recent;
    recent = new Map();
    sinceMs = now();
  }

  function get(grantId: string): TokenSet | undefined {
    sweep();
    const tokenSet = recent.get(grantId) ?? earlier.get(grantId);
    if (tokenSet !== undefined) recent.set(grantId, tokenSet);
    return tokenSet;
  }

  return {
    get,
    delete(grantId: string): void {
      recent.delete(grantId);
      earlier.delete(grantId);
    },
    sweep,
    /** A slow reader does not put an older one back, unless the newer has expired: a lost record begins anew. */
    set(grantId: string, tokenSet: TokenSet): void {
      const { renewals = 0, expiresAtMs = Infinity } = get(grantId) ?? {};
      if (renewals <= tokenSet.renewals || expiresAtMs <= now()) recent.set(grantId, tokenSet);
    },
  };
}
