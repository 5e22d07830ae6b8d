// The guide's sample, in our words, with the store that it tells people to add for production.
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { Redis } from 'ioredis';
import { GETBILL, listen, PUBLIC_URL, REDIS } from './listen.js';

const app = express();
app.set('trust proxy', 1);
app.use(session({ store: new RedisStore({ client: new Redis(REDIS) }), secret: 'sample-bench-secret', resave: false, saveUninitialized: true })); // prettier-ignore

app.get('/login', (req, res) => {
  const state = Math.random().toString(36).slice(2);
  req.session.state = state;
  const query = new URLSearchParams({ response_type: 'code', client_id: 'bench', redirect_uri: `${PUBLIC_URL}/oauth/callback`, scope: 'company:read', state }); // prettier-ignore
  res.redirect(`${GETBILL}/oauth/authorize?${query}`);
});
app.get('/oauth/callback', async (req, res) => {
  if (req.query.state !== req.session.state) return res.status(400).send('Invalid state parameter');
  const body = new URLSearchParams({ grant_type: 'authorization_code', client_id: 'bench', client_secret: 'bench-secret', code: req.query.code, redirect_uri: `${PUBLIC_URL}/oauth/callback` }); // prettier-ignore
  const answer = await fetch(`${GETBILL}/oauth/token`, { method: 'POST', body });
  const tokens = await answer.json();
  req.session.accessToken = tokens.access_token;
  req.session.refreshToken = tokens.refresh_token;
  res.redirect('/dashboard');
});
app.get('/api/company/profile', async (req, res) => {
  if (!req.session.accessToken) return res.redirect('/login');
  const headers = { Authorization: `Bearer ${req.session.accessToken}` };
  const answer = await fetch(`${GETBILL}/external-api/v1/company/profile`, { headers });
  res.json(await answer.json());
});
listen(app);
