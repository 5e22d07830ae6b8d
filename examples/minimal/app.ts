// The whole flow in one file: sign-in (authorization code with PKCE), API call, renewal, sign-out.
// What production needs besides: three diffs, and the list of what is left out, in README.md.
import { randomUUID } from 'node:crypto';
import express from 'express';
import session from 'express-session';
import * as oauth from 'oauth4webapi';

const { PORT = '3000', GETBILL_BASE_URL = 'https://getbill.io', ...env } = process.env;
const getbill = GETBILL_BASE_URL.replace(/\/+$/, '');
const origin = `http://localhost:${PORT}`;
const redirectUri = `${origin}/oauth/callback`; // register this one at GetBill

const as: oauth.AuthorizationServer = {
  issuer: getbill,
  authorization_endpoint: `${getbill}/oauth/authorize`,
  token_endpoint: `${getbill}/oauth/token`,
};
const client: oauth.Client = { client_id: env.GETBILL_CLIENT_ID ?? '' };
const clientAuth = oauth.ClientSecretPost(env.GETBILL_CLIENT_SECRET ?? ''); // RFC 6749, 2.3.1
const parties = [as, client, clientAuth] as const;
const http = {
  [oauth.allowInsecureRequests]: getbill.startsWith('http:'), // the sandbox
  signal: () => AbortSignal.timeout(10_000),
};

interface Tokens {
  accessToken: string;
  refreshToken?: string | undefined;
  expiresAtMs: number;
}
declare module 'express-session' {
  interface SessionData {
    login: { state: string; codeVerifier: string }; // from /login to /oauth/callback
    grantId: string; // the key of this person's tokens, which stay out of the session
  }
}
class SignedOutError extends Error {}

const records = new Map<string, Tokens>();
const storage = {
  read: async (grantId: string) => records.get(grantId),
  write: async (grantId: string, tokens: Tokens) => void records.set(grantId, tokens),
  remove: async (grantId: string) => void records.delete(grantId),
};

const app = express();
const secret = env.SESSION_SECRET ?? '';
const cookie = { httpOnly: true, sameSite: 'lax' } as const; // https: secure: true, 'trust proxy'
app.use(session({ secret, cookie, resave: false, saveUninitialized: false }));

app.get('/', (_req, res) => void res.send('<a href="/login">Sign in with GetBill</a>'));

app.get('/login', async (req, res) => {
  const state = oauth.generateRandomState(); // RFC 6749, 10.12
  const codeVerifier = oauth.generateRandomCodeVerifier(); // RFC 7636, 4.1
  req.session.login = { state, codeVerifier };
  const authorizationRequest = new URLSearchParams({
    response_type: 'code', // RFC 6749, 4.1.1
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope: 'company:read',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier), // RFC 7636, 4.3
    code_challenge_method: 'S256',
  });
  res.redirect(`${as.authorization_endpoint}?${authorizationRequest}`);
});

app.get('/oauth/callback', async (req, res, next) => {
  const { login } = req.session;
  delete req.session.login; // it serves once
  if (login === undefined) return void res.status(400).send('No sign-in was started here.');
  // RFC 6749, 4.1.2: the authorization response, refused unless its state is the one we sent
  const callbackUrl = new URL(req.originalUrl, origin);
  const code = oauth.validateAuthResponse(as, client, callbackUrl, login.state);
  const proofs = [code, redirectUri, login.codeVerifier] as const; // RFC 6749, 4.1.3
  const response = await oauth.authorizationCodeGrantRequest(...parties, ...proofs, http);
  const tokens = tokensFrom(await oauth.processAuthorizationCodeResponse(as, client, response));
  const grantId = randomUUID();
  await storage.write(grantId, tokens);
  // The session is made here, under an id that nobody can have planted
  req.session.regenerate((error) => {
    if (error) return next(error);
    req.session.grantId = grantId;
    res.redirect('/company');
  });
});

app.get('/company', async (req, res) => {
  const { grantId = '' } = req.session;
  const authorization = `Bearer ${await freshAccessToken(grantId)}`; // RFC 6750, 2.1
  const url = `${getbill}/external-api/v1/company/profile`;
  const response = await fetch(url, { headers: { authorization }, signal: http.signal() });
  res.status(response.status).json(await response.json());
});

// A POST, which no other site can send: SameSite=Lax
app.post('/logout', async (req, res) => {
  await storage.remove(req.session.grantId ?? '');
  req.session.destroy(() => res.redirect('/'));
});

app.use(((error, _req, res, _next) => {
  if (error instanceof SignedOutError) return res.redirect('/login');
  console.error(error.message); // and no more: the cause can hold codes and tokens
  res.status(500).send('That did not work. Please try again.');
}) satisfies express.ErrorRequestHandler);

app.listen(Number(PORT), () => console.log(`Open ${origin}`));

async function freshAccessToken(grantId: string): Promise<string> {
  const tokens = await storage.read(grantId); // the first read
  if (tokens === undefined) throw new SignedOutError();
  return isDue(tokens) ? (await renewOnce(grantId)).accessToken : tokens.accessToken;
}

const isDue = (tokens: Tokens): boolean => Date.now() >= tokens.expiresAtMs;

// Single flight: while a renewal of a grant runs, everybody who needs it waits for that one.
const renewals = new Map<string, Promise<Tokens>>();
function renewOnce(grantId: string): Promise<Tokens> {
  const renewal = renewals.get(grantId) ?? renew(grantId).finally(() => renewals.delete(grantId));
  renewals.set(grantId, renewal);
  return renewal;
}

/** RFC 6749, 6. A refresh token may serve once only: sent twice, it can end the whole grant. */
async function renew(grantId: string): Promise<Tokens> {
  const old = await storage.read(grantId); // the second read: a renewal may have just ended
  if (old !== undefined && !isDue(old)) return old;
  if (old?.refreshToken === undefined) throw new SignedOutError(); // there is nothing to renew with
  const response = await oauth.refreshTokenGrantRequest(...parties, old.refreshToken, http);
  try {
    const renewed = tokensFrom(await oauth.processRefreshTokenResponse(as, client, response), old);
    await storage.write(grantId, renewed);
    return renewed;
  } catch (error) {
    const refused = error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant';
    if (!refused) throw error; // RFC 6749, 5.2: invalid_grant alone says that the grant is dead
    await storage.remove(grantId);
    throw new SignedOutError();
  }
}

/** RFC 6749, 5.1. A response without a refresh token leaves the old one valid. */
function tokensFrom(response: oauth.TokenEndpointResponse, old?: Tokens): Tokens {
  const { access_token: accessToken, refresh_token, expires_in = 3600 } = response;
  const refreshToken = refresh_token ?? old?.refreshToken;
  return { accessToken, refreshToken, expiresAtMs: Date.now() + expires_in * 1000 };
}
