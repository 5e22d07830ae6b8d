import type { Request, Response, Router } from 'express';
import type { Config } from '../../config/config.js';
import { SignInError } from '../../errors.js';
import type { Emit } from '../../events.js';
import type { Arrivals } from '../session/recent-sign-ins.js';
import type { Completed, SignIn } from '../../core/sign-in/sign-in.js';
import type { TokenManager } from '../../core/tokens/token-manager.js';
import { cookieOf, type Cookies } from '../session/cookies.js';
import { dropSession, grantIdOf, isSignedIn, saveSignedIn, takeNewSessionId } from '../session/session.js';
import { createRouter } from '../create-router.js';

/** The way back from GetBill. Every case of the table in `docs/architecture.md` and no other reading of it. */
export function oauthCallbackRoute({
  session,
  cookies,
  signIn,
  tokens,
  arrivals,
  scopes,
  emit,
  fingerprint,
  now,
}: Pick<Config, 'session'> & {
  cookies: Cookies;
  signIn: Pick<SignIn, 'complete'>;
  tokens: Pick<TokenManager, 'establish' | 'forget'>;
  arrivals: Arrivals;
  scopes: readonly string[];
  emit: Emit;
  fingerprint: (id: string) => string;
  now: () => number;
}): Router {
  const router = createRouter();

  router.get('/oauth/callback', async (req, res) => {
    if (/\bprefetch\b/.test(req.get('sec-purpose') ?? '')) return res.status(204).end();
    const binding = cookieOf(req, cookies.login);
    const response = new URLSearchParams(req.originalUrl.split('?').slice(1).join('?'));
    const completed = binding === undefined ? undefined : await signIn.complete({ binding, response });
    if (completed !== undefined && binding !== undefined) {
      try {
        return await enter(req, res, completed, binding);
      } catch (error) {
        dropSession(req);
        throw error;
      }
    }

    if (isSignedIn(req)) {
      emit({ type: 'login_repeated' });
      return res.redirect(303, '/dashboard');
    }
    const code = binding === undefined ? 'login_cookie_missing' : 'login_unknown';
    emit({ type: 'login_failed', reason: code });
    throw new SignInError('no pending login belongs to this callback', { code, status: 400 });
  });

  async function enter(req: Request, res: Response, { tokenSet, returnTo, login }: Completed, binding: string) {
    const replaced = isSignedIn(req) ? grantIdOf(req.sessionID) : undefined;
    await takeNewSessionId(req);
    if (replaced !== undefined) await tokens.forget(replaced, 'replaced');

    const grantId = grantIdOf(req.sessionID);
    await tokens.establish(grantId, tokenSet, { ttlMs: session.maxMs });
    try {
      await arrivals.note(binding, grantId);
      await saveSignedIn(req, { nowMs: now() });
    } catch (error) {
      await tokens.forget(grantId, 'record_gone').catch(() => undefined);
      throw error;
    }
    const grant = fingerprint(grantId);
    if (tokenSet.scopes.some((scope) => !scopes.includes(scope))) {
      emit({ type: 'scope_widened', grant, scopes: tokenSet.scopes });
    }
    emit({ type: 'login_completed', login, grant, scopes: tokenSet.scopes, replaced: replaced !== undefined });
    res.redirect(303, returnTo);
  }

  return router;
}
