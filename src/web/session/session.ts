import { hash, randomBytes } from 'node:crypto';
import type { Request } from 'express';
import { StorageError } from '../../errors.js';

/** A session exists only once somebody has signed in; what sign-in wrote is never changed afterwards. */
export function isSignedIn(req: Request): boolean {
  return (req.session as { signedInAtMs?: number } | undefined)?.signedInAtMs !== undefined;
}

/** Derived, so that no stored pointer can be swapped: base64url(SHA-256(session id)). */
export const grantIdOf = (sessionId: string): string => hash('sha256', sessionId, 'base64url');

/**
 * In this request alone: the record of a live session stays, so that it survives when the new one fails. (`regenerate`
 * of express-session would delete it first.) Without a live session the id is new already.
 */
export function takeNewSessionId(req: Request): void {
  if (isSignedIn(req)) req.sessionStore.generate(req);
}

/** One write, finished before this resolves, so that no answer runs ahead of it. @throws {StorageError} */
export async function saveSignedIn(req: Request, { nowMs }: { nowMs: number }): Promise<void> {
  req.session.signedInAtMs = nowMs;
  req.session.csrfSecret = randomBytes(18).toString('base64url');
  await settled((done) => req.session.save(done));
}

/** @throws {StorageError} */
export async function destroySession(req: Request): Promise<void> {
  const { sessionID } = req;
  dropSession(req);
  await removeSession(req, sessionID);
}

/** Deletes the record of a session. @throws {StorageError} */
export async function removeSession({ sessionStore }: Request, sessionId: string): Promise<void> {
  await settled((done) => {
    sessionStore.destroy(sessionId, done);
  });
}

/** Forgets the session in this request alone: no cookie names it and nothing saves it again. */
export function dropSession(req: Request): void {
  delete (req as Partial<Request>).session;
}

async function settled(action: (done: (error?: unknown) => void) => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    action((error) => {
      if (!error) resolve();
      else reject(error instanceof StorageError ? error : new StorageError(error));
    });
  });
}
