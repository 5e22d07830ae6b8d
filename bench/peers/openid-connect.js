// express-openid-connect with its tokens in Redis, renewing and calling as its documentation shows.
import { RedisStore } from 'connect-redis';
import express from 'express';
import openidConnect from 'express-openid-connect';
import { Redis } from 'ioredis';
import { GETBILL, listen, PUBLIC_URL, REDIS } from './listen.js';

const app = express();
app.set('trust proxy', 1);
app.use(
  openidConnect.auth({
    issuerBaseURL: GETBILL,
    baseURL: PUBLIC_URL,
    clientID: 'bench',
    clientSecret: 'bench-secret',
    secret: 'openid-connect-bench-secret-0123456789',
    authRequired: false,
    idTokenSigningAlg: 'RS256',
    authorizationParams: {
      response_type: 'code',
      scope: 'openid company:read',
      response_mode: 'query',
    },
    clientAuthMethod: 'client_secret_post',
    routes: { callback: '/oauth/callback', login: '/login' },
    session: { store: new RedisStore({ client: new Redis(REDIS) }) },
  }),
);
app.get('/api/company/profile', openidConnect.requiresAuth(), async (req, res) => {
  let { accessToken } = req.oidc;
  if (accessToken.isExpired()) accessToken = await accessToken.refresh();
  const headers = { Authorization: `Bearer ${accessToken.access_token}` };
  const answer = await fetch(`${GETBILL}/external-api/v1/company/profile`, { headers });
  res.json(await answer.json());
});
listen(app);
