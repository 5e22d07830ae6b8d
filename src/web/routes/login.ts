import { hash, randomBytes } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Config } from '../../config/config.js';
import {
  AppError,
  GrantEndedError,
  MisconfiguredError,
  SignInError,
  UnavailableError,
} from '../../errors.js';
import { isRejection } from '../../oauth-explanations.js';
import { PENDING_LOGIN_TTL_MS } from '../../core/sign-in/pending-logins.js';
import { canonicalLogin, scopesAskedFor } from '../login-request.js';
import { safeReturnTo } from '../return-to.js';
import type { SignIn } from '../../core/sign-in/sign-in.js';
import type { RecentSignIns } from '../session/recent-sign-ins.js';
import type { TokenManager } from '../../core/tokens/token-manager.js';
import { bindingOf, cookieOf, type Cookies } from '../session/cookies.js';
import { wasEndedByGetbill, noteEnd, type EndSession } from '../session/end-session.js';
import { signedId } from '../session/read-session.js';
import { grantIdOf } from '../session/session.js';

/**
 * Starts a sign-in, or redirects to the page asked for when somebody is signed in. `?again` always
 * starts one, and so does a grant that GetBill does not renew, because every page would fail.
 */
export function startSignIn({
  publicUrl,
  scopes,
  secrets,
  cookies,
  signIn,
  tokens,
  recentSignIns,
  endSession,
  now,
}: Pick<Config, 'publicUrl'> & {
  scopes: readonly string[];
  secrets: readonly string[];
  cookies: Cookies;
  signIn: Pick<SignIn, 'start'>;
  tokens: Pick<TokenManager, 'holds' | 'fresh'>;
  recentSignIns: RecentSignIns;
  endSession: EndSession;
  now: () => number;
}): RequestHandler {
  /** A session whose grant has ended is ended, too. */
  async function isSignedIn(req: Request, res: Response): Promise<boolean> {
    if (req.signedIn === undefined) return false;
    const grant = await grantStateOf(grantIdOf(req.signedIn.sessionId), tokens);
    if (grant === 'ended' || grant === 'refused') await endSession(req);
    if (grant === 'refused') noteEnd(res, { cookies, nowMs: now() });
    return grant === 'good' || grant === 'unknown';
  }

  /**
   * A browser that signed in just now and comes without that session would do so again for ever.
   * @throws {AppError} `session_secret_differs`. @throws {SignInError} `session_cookie_lost`
   */
  async function assertNotSignedInJustNow(req: Request, binding: string): Promise<void> {
    if (req.signedIn !== undefined) return;
    const recent = await recentSignIns.lastGrant(binding);
    if (recent === undefined || !(await tokens.holds(recent))) return;
    throw isSessionOf(recent, cookieOf(req, cookies.session))
      ? secretDiffers()
      : sessionCookieLost();
  }

  return async function startSignInHandler(req, res) {
    const returnTo = safeReturnTo(req.query['returnTo']);
    // Our cookies belong to PUBLIC_URL: a sign-in started elsewhere would come back without them.
    const elsewhere = canonicalLogin(req, { publicUrl, returnTo });
    if (elsewhere !== undefined) return res.redirect(302, elsewhere.href);
    if (req.query['again'] === undefined && (await isSignedIn(req, res)))
      return res.redirect(302, returnTo);
    const binding =
      bindingOf(req, cookies) ??
      newBinding(signedId(req, { secrets, cookieName: cookies.session }));
    await assertNotSignedInJustNow(req, binding);

    const more = scopesAskedFor(req);
    const asked = more.length > 0 ? [...new Set([...scopes, ...more])] : undefined;
    const url = await signIn.start({ binding, returnTo, scopes: asked });
    // One value for every tab of this browser, so that several sign-ins can be under way at once.
    res.cookie(cookies.login, binding, { ...cookies.attributes, maxAge: PENDING_LOGIN_TTL_MS });
    res.status(302).location(url.href).end(); // no body: it would hold the state
  };
}

/**
 * Made of the session cookie where there is one, also of a session that is over: two tabs that a
 * browser opens at once after an hour then get the same, and both can finish.
 */
const newBinding = (sessionId: string | undefined): string =>
  sessionId === undefined
    ? randomBytes(32).toString('base64url')
    : hash('sha256', `binding of ${sessionId}`, 'base64url');

/** `not_renewed`: expired, and GetBill does not renew it. `unknown`: the page says why. */
async function grantStateOf(
  grantId: string,
  tokens: Pick<TokenManager, 'fresh'>,
): Promise<'good' | 'ended' | 'refused' | 'not_renewed' | 'unknown'> {
  try {
    await tokens.fresh(grantId);
    return 'good';
  } catch (error) {
    if (error instanceof GrantEndedError) return wasEndedByGetbill(error) ? 'refused' : 'ended';
    if (!(error instanceof MisconfiguredError || error instanceof UnavailableError)) throw error;
    return isRejection(error.code) ? 'not_renewed' : 'unknown';
  }
}

/** Whether the session cookie is the one of that grant, although its signature is not ours. */
const isSessionOf = (grantId: string, sessionCookie: string | undefined): boolean =>
  grantIdOf(/^s:([^.]+)\./.exec(sessionCookie ?? '')?.[1] ?? '') === grantId;

const secretDiffers = (): AppError =>
  new AppError(
    'the session cookie of the sign-in just completed is not signed with this SESSION_SECRET',
    {
      code: 'session_secret_differs',
      status: 500,
      hint: 'every process must have the same SESSION_SECRET; while secrets are rotated, new,old',
    },
  );

const sessionCookieLost = (): SignInError =>
  new SignInError('the browser that just signed in did not send the session cookie', {
    code: 'session_cookie_lost',
    status: 400,
    hint: 'cookies are blocked, or an old cookie of ours hides the new one; going on would loop',
  });
