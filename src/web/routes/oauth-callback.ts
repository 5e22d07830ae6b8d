import type { RequestHandler } from 'express';
import { SignInError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { serverSaidIn } from '../../core/oauth/authorization.js';
import type { SignIn } from '../../core/sign-in/sign-in.js';
import { bindingOf, type Cookies } from '../session/cookies.js';
import type { StartSession } from '../session/start-session.js';

/** The redirect back from GetBill: exactly the cases of the table in `docs/architecture.md`. */
export function completeSignIn({
  cookies,
  signIn,
  startSession,
  emit,
}: {
  cookies: Cookies;
  signIn: Pick<SignIn, 'complete'>;
  startSession: StartSession;
  emit: Emit;
}): RequestHandler {
  return async function completeSignInHandler(req, res) {
    const binding = bindingOf(req, cookies);
    const response = new URLSearchParams(req.originalUrl.split('?').slice(1).join('?'));

    if (binding !== undefined) {
      const completed = await signIn.complete({ binding, response });
      if (completed !== undefined) {
        await startSession(req, completed, { binding });
        return res.redirect(303, completed.returnTo);
      }
    }
    if (req.signedIn !== undefined) {
      emit({ type: 'login_repeated' });
      return res.redirect(303, '/dashboard');
    }
    const code = binding === undefined ? 'login_cookie_missing' : 'login_unknown';
    emit({ type: 'login_failed', reason: code });
    throw new SignInError('no pending login belongs to this callback', {
      code,
      status: 400,
      ...serverSaidIn(response),
    });
  };
}
