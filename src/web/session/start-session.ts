import type { Request } from 'express';
import type { Config } from '../../config/config.js';
import { StorageError } from '../../errors.js';
import type { Emit } from '../../events.js';
import type { Completed } from '../../core/sign-in/sign-in.js';
import type { TokenManager } from '../../core/tokens/token-manager.js';
import type { Arrivals } from './recent-sign-ins.js';
import { dropSession, grantIdOf, isSignedIn, removeSession, saveSignedIn, takeNewSessionId } from './session.js';

/**
 * Completes a sign-in: a new session id, the tokens on record, the session written, then the earlier session of this
 * browser ended. A failure in the middle leaves nothing behind: the new grant is revoked and forgotten, and the earlier
 * session, whose cookie the browser still has, goes on. @throws {StorageError}
 */
export type StartSession = (req: Request, completed: Completed, options: { binding: string }) => Promise<void>;

export function createStartSession({
  session,
  scopes,
  tokens,
  arrivals,
  emit,
  fingerprint,
  now,
}: Pick<Config, 'session'> & {
  scopes: readonly string[];
  tokens: Pick<TokenManager, 'establish' | 'forget' | 'abandon'>;
  arrivals: Arrivals;
  emit: Emit;
  fingerprint: (id: string) => string;
  now: () => number;
}): StartSession {
  return async function startSession(req, { tokenSet, login }, { binding }) {
    const earlierId = isSignedIn(req) ? req.sessionID : undefined;
    takeNewSessionId(req);
    const grantId = grantIdOf(req.sessionID);
    try {
      await tokens.establish(grantId, tokenSet, { ttlMs: session.maxMs });
      await arrivals.note(binding, grantId);
      await saveSignedIn(req, { nowMs: now() });
    } catch (error) {
      dropSession(req);
      tokens.abandon(grantId, 'record_gone', tokenSet);
      throw error;
    }
    if (earlierId !== undefined) await end(earlierId, req);

    const grant = fingerprint(grantId);
    if (tokenSet.scopes.some((scope) => !scopes.includes(scope))) {
      emit({ type: 'scope_widened', grant, scopes: tokenSet.scopes });
    }
    emit({ type: 'login_completed', login, grant, scopes: tokenSet.scopes, replaced: earlierId !== undefined });
  };

  /** The visitor is signed in anew whatever the storage says of the earlier session now. */
  async function end(earlierId: string, req: Request): Promise<void> {
    const grantId = grantIdOf(earlierId);
    try {
      await tokens.forget(grantId, 'replaced');
      await removeSession(req, earlierId);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      tokens.abandon(grantId, 'replaced'); // a session without its grant ends at its next use
    }
  }
}
