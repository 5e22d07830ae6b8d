import type { Clock } from '../clock.js';
import type { TokenSet } from '../oauth/token-set.js';

const MAX_RECENT = 5_000;
const RECENT_MS = 450_000;

/**
 * What this process has used lately: at most 10,000 token sets, each at most 15 minutes after its
 * last use, because a session may end elsewhere. Only a hint: every request reads its session.
 */
export function createTokenCache({ now }: Pick<Clock, 'now'>) {
  let recent = new Map<string, TokenSet>();
  let earlier = recent;
  let timer: NodeJS.Timeout | undefined;

  /** Old or full, `recent` becomes `earlier`, and what is only in `earlier` is dropped. */
  function age(): void {
    earlier = recent;
    recent = new Map();
    clearTimeout(timer);
    timer = earlier.size > 0 ? setTimeout(age, RECENT_MS).unref() : undefined;
  }

  function keep(grantId: string, tokenSet: TokenSet): void {
    recent.set(grantId, tokenSet);
    timer ??= setTimeout(age, RECENT_MS).unref();
    if (recent.size === MAX_RECENT) age();
  }

  function get(grantId: string): TokenSet | undefined {
    const tokenSet = recent.get(grantId) ?? earlier.get(grantId);
    if (tokenSet !== undefined) keep(grantId, tokenSet);
    return tokenSet;
  }

  return {
    get,
    delete(grantId: string): void {
      recent.delete(grantId);
      earlier.delete(grantId);
    },
    /** A slow reader puts no older one back, unless the newer has expired: a record begins anew. */
    set(grantId: string, tokenSet: TokenSet): void {
      const { renewals = 0, expiresAtMs = Infinity } = get(grantId) ?? {};
      if (renewals <= tokenSet.renewals || expiresAtMs <= now()) keep(grantId, tokenSet);
    },
  };
}
