import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import type { Config } from '../../config/config.js';
import { AppError, StorageError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { createBackground } from '../../core/background.js';
import { systemClock } from '../../core/clock.js';
import type { Completed } from '../../core/sign-in/sign-in.js';
import type { TokenManager } from '../../core/tokens/token-manager.js';
import type { RecentSignIns } from './recent-sign-ins.js';
import { grantIdOf } from './session.js';
import type { SessionStore } from './session-store.js';

/**
 * Completes a sign-in: a new session id, the tokens on record, the session written, then the
 * earlier session of this browser ended. A failure in the middle leaves nothing behind: the new
 * grant is revoked and forgotten, and the earlier session, whose cookie the browser still has, goes
 * on. @throws {StorageError}
 */
export type StartSession = (
  req: Request,
  completed: Completed,
  options: { binding: string },
) => Promise<void>;

export function createStartSession({
  session,
  sessions,
  tokens,
  recentSignIns,
  emit,
  fingerprint,
  now,
}: Pick<Config, 'session'> & {
  sessions: Pick<SessionStore, 'end'>;
  tokens: Pick<TokenManager, 'establish' | 'forget' | 'abandon'>;
  recentSignIns: RecentSignIns;
  emit: Emit;
  fingerprint: (id: string) => string;
  now: () => number;
}): StartSession {
  const background = createBackground(systemClock);
  return async function startSession(req, completed, { binding }) {
    const { tokenSet, requestedScopes, login } = completed;
    const earlierId = req.signedIn?.sessionId;
    takeNewSessionId(req);
    const grantId = grantIdOf(req.sessionID);
    try {
      await tokens.establish(grantId, tokenSet, { ttlMs: session.maxMs });
      await recentSignIns.note(binding, grantId);
      await saveSignedIn(req, { nowMs: now() });
    } catch (error) {
      dropSession(req);
      tokens.abandon(grantId, 'record_gone', tokenSet);
      if (error instanceof AppError) error.returnTo = completed.returnTo;
      throw error;
    }
    if (earlierId !== undefined) await endEarlier(earlierId);

    const grant = fingerprint(grantId);
    if (tokenSet.scopes.some((scope) => !requestedScopes.includes(scope))) {
      emit({ type: 'scope_widened', grant, scopes: tokenSet.scopes });
    }
    emit({
      type: 'login_completed',
      login,
      grant,
      scopes: tokenSet.scopes,
      replaced: earlierId !== undefined,
    });
  };

  /**
   * The session goes before its tokens: a response of it that is under way then finds no session to
   * end, and leaves the new cookie alone. A storage that fails here does not undo the new sign-in.
   */
  async function endEarlier(earlierId: string): Promise<void> {
    const grantId = grantIdOf(earlierId);
    try {
      await sessions.end(earlierId);
      await tokens.forget(grantId, 'replaced');
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      tokens.abandon(grantId, 'replaced');
      // Another process would serve the session as long as it has a copy of the tokens.
      background.keepTrying(() => sessions.end(earlierId)).catch(() => undefined);
    }
  }
}

/**
 * In this request alone: the record of a live session stays, so that it survives when the new one
 * fails. (`regenerate` of express-session would delete it first.) Without a live session the id is
 * new already.
 */
function takeNewSessionId(req: Request): void {
  if (req.session.signedInAtMs !== undefined) req.sessionStore.generate(req);
}

/**
 * One write, finished before this resolves, so that no response runs ahead of it. @throws
 * {StorageError}
 */
async function saveSignedIn(req: Request, { nowMs }: { nowMs: number }): Promise<void> {
  req.session.signedInAtMs = nowMs;
  req.session.csrfSecret = randomBytes(18).toString('base64url');
  await new Promise<void>((resolve, reject) => {
    req.session.save((error: unknown) => {
      if (!error) resolve();
      else reject(error instanceof StorageError ? error : new StorageError(error));
    });
  });
}

/** Forgets the session in this request alone: no cookie names it and nothing saves it again. */
function dropSession(req: Request): void {
  delete (req as Partial<Request>).session;
}
