import { hash } from 'node:crypto';

/** The session of a request. Sign-in wrote it; nothing changes it afterwards. */
export interface SignedIn {
  readonly sessionId: string;
  readonly signedInAtMs: number;
  readonly csrfSecret: string;
}

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- the way Express wants it
  namespace Express {
    interface Request {
      /** Set by `readSession` on every request; `undefined` for whoever is not signed in. */
      signedIn: SignedIn | undefined;
    }
  }
}

/** Derived, so that no stored pointer can be swapped: base64url(SHA-256(session id)). */
export const grantIdOf = (sessionId: string): string => hash('sha256', sessionId, 'base64url');
