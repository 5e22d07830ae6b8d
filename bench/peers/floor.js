// "floor": bare plus one session read from Redis per call. What cannot be done without.
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { Redis } from 'ioredis';
import { createForward, listen, REDIS } from './listen.js';

const forward = createForward();
const app = express();
const store = new RedisStore({ client: new Redis(REDIS), disableTouch: true });
app.use(session({ store, secret: 'floor-bench-secret', resave: false, saveUninitialized: false }));
app.get('/login', (req, res) => {
  req.session.accessToken = 'fixed';
  res.redirect('/');
});
app.get('/api/company/profile', (req, res) => {
  if (req.session.accessToken === undefined) return res.status(401).end();
  return forward(req.session.accessToken, res);
});
listen(app);
