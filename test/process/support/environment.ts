import { hash } from 'node:crypto';
import { defaultClientId, type Sandbox } from '../../../sandbox/sandbox.js';

export const PUBLIC_URL = 'https://connect.example';

/** Production refuses the one that the sandbox's source names. */
export const CLIENT_SECRET = 'process-test-client-secret-0123456789';

/** Production mode behind a TLS proxy, which the tests play. The sandbox must know CLIENT_SECRET. */
export const environment = (sandbox: Sandbox): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  NODE_ENV: 'production',
  PORT: '0',
  PUBLIC_URL,
  TRUST_PROXY: '1',
  REDIS_ALLOW_INSECURE: 'true',
  GETBILL_BASE_URL: sandbox.origin,
  GETBILL_CLIENT_ID: defaultClientId,
  GETBILL_CLIENT_SECRET: CLIENT_SECRET,
  GETBILL_SCOPES: 'company:read debts:read followups:read followups:write',
  SESSION_SECRET: 'process-test-session-secret-0123456789',
  TOKEN_ENCRYPTION_KEY: hash('sha256', 'the key of the tests', 'base64'),
  RATE_LIMIT_LOGIN: '1000000',
  RATE_LIMIT_CALLBACK: '1000000',
  RATE_LIMIT_API: '1000000',
  RATE_LIMIT_PAGES: '1000000',
  RATE_LIMIT_REFRESH: '1000000',
  DRAIN_DELAY_S: '0',
});
