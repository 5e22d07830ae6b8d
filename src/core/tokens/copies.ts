import type { TokenSet } from '../oauth/token-set.js';

const MOST = 10_000;

/** This process's last look at each grant, oldest forgotten first. Never more than a hint: the session is read on every request. */
export type Copies = ReturnType<typeof createCopies>;

export function createCopies() {
  const copies = new Map<string, TokenSet>();
  return {
    get: (grantId: string): TokenSet | undefined => copies.get(grantId),
    /** A slow reader does not put an older one back. */
    set(grantId: string, tokenSet: TokenSet): void {
      if ((copies.get(grantId)?.renewals ?? 0) > tokenSet.renewals) return;
      copies.delete(grantId);
      copies.set(grantId, tokenSet);
      const [oldest] = copies.keys();
      if (copies.size > MOST && oldest !== undefined) copies.delete(oldest);
    },
    delete: (grantId: string): void => void copies.delete(grantId),
  };
}
