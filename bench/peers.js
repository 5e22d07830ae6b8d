import { createHash } from 'node:crypto';
import { start } from './processes.js';

export const PUBLIC_URL = 'https://connect.example';

/** GetBill Connect in production mode with everything on; only the limits are out of the way of the load. */
export const connectEnv = ({ stub, redis }) => ({
  NODE_ENV: 'production',
  PORT: '0',
  PUBLIC_URL,
  TRUST_PROXY: '1',
  REDIS_URL: redis.url,
  REDIS_ALLOW_INSECURE: 'true',
  GETBILL_BASE_URL: stub.origin,
  GETBILL_CLIENT_ID: 'bench-client',
  GETBILL_CLIENT_SECRET: 'bench-client-secret-0123456789',
  SESSION_SECRET: 'bench-session-secret-0123456789abcdef',
  TOKEN_ENCRYPTION_KEY: createHash('sha256').update('the key of the bench').digest('base64'),
  METRICS_TOKEN: 'bench-metrics-token-0123456789abcdef',
  ...Object.fromEntries(
    ['LOGIN', 'CALLBACK', 'API', 'PAGES', 'REFRESH'].map((name) => [
      `RATE_LIMIT_${name}`,
      '1000000',
    ]),
  ),
  DRAIN_DELAY_S: '0',
});

export const startConnect = (context, options) =>
  start('../dist/main.js', connectEnv(context), options);

const peer =
  (file) =>
  ({ stub, redis }, options) =>
    start(
      `peers/${file}.js`,
      { NODE_ENV: 'production', GETBILL: stub.origin, REDIS: redis.path, PUBLIC_URL },
      options,
    );

export const peers = {
  bare: peer('bare'),
  floor: peer('floor'),
  'GetBill Connect': startConnect,
  "guide's sample + connect-redis": peer('sample'),
  'express-openid-connect + connect-redis': peer('openid-connect'),
};
