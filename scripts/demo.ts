// `npm run demo`: a sandbox GetBill and the app, configured for each other; nothing to install, no account.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const appPort = process.env['PORT'] ?? '3000';
const sandboxPort = process.env['SANDBOX_PORT'] ?? '4000';
const appUrl = `http://localhost:${appPort}`;
const sandboxUrl = `http://localhost:${sandboxPort}`;

/** Kept in an ignored file, so that a restart keeps the sign-in when REDIS_URL is set. */
function secrets(): Record<string, string> {
  const file = '.demo/secrets.json';
  if (!existsSync(file)) {
    mkdirSync('.demo', { recursive: true });
    const random = (): string => randomBytes(32).toString('base64');
    const fresh = { GETBILL_CLIENT_SECRET: random(), SESSION_SECRET: random(), TOKEN_ENCRYPTION_KEY: random() };
    writeFileSync(file, JSON.stringify(fresh, null, 2), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
}

const shared = secrets();
const clientId = 'demo-client';
const appEnv = {
  ...shared,
  NODE_ENV: 'development',
  PORT: appPort,
  PUBLIC_URL: appUrl,
  GETBILL_CLIENT_ID: clientId,
  GETBILL_BASE_URL: sandboxUrl,
  GETBILL_ISSUER: sandboxUrl,
  GETBILL_SCOPES: 'company:read debts:read followups:read',
  RATE_LIMIT_LOGIN: '1000',
  RATE_LIMIT_CALLBACK: '1000',
  RATE_LIMIT_API: '10000',
  FLOW_INSPECTOR: 'true',
  DRAIN_DELAY_S: '0',
  LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'warn',
};
const sandboxEnv = {
  SANDBOX_PORT: sandboxPort,
  SANDBOX_CLIENT_ID: clientId,
  SANDBOX_CLIENT_SECRET: shared['GETBILL_CLIENT_SECRET'],
  SANDBOX_REDIRECT_URIS: `${appUrl}/oauth/callback`,
  SANDBOX_APP_URL: appUrl,
};

const children: ChildProcess[] = [];
const exited = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
};
let stopping = false as boolean;

function start(script: string, env: NodeJS.ProcessEnv): void {
  // Only what a program needs from the shell; a developer's own GETBILL_* settings must not leak into the demo.
  const { PATH, HOME, REDIS_URL, TERM } = process.env;
  const base = Object.fromEntries(Object.entries({ PATH, HOME, REDIS_URL, TERM }).filter(([, value]) => value));
  const child = spawn(process.execPath, ['--import', 'tsx', script], { env: { ...base, ...env }, stdio: 'inherit' });
  children.push(child);
  child.once('exit', (code) => void stop(code ?? 0));
}

async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  for (const child of children) child.kill('SIGTERM');
  await Promise.race([Promise.all(children.map(exited)), delay(5_000)]);
  process.exit(code);
}

async function answers(url: string): Promise<void> {
  for (;;) {
    const ok = await fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (ok || stopping) return;
    await delay(100);
  }
}

process.once('SIGINT', () => void stop(0));
process.once('SIGTERM', () => void stop(0));
console.log('starting the sandbox GetBill and the app ...');
start('sandbox/main.ts', sandboxEnv);
start('src/main.ts', appEnv);
await Promise.all([answers(`${sandboxUrl}/healthz`), answers(`${appUrl}/readyz`)]);
if (!stopping) {
  console.log(`
  GetBill Connect    ${appUrl}
  sandbox GetBill    ${sandboxUrl}   (not the real GetBill: break things here)
  storage            ${process.env['REDIS_URL'] ? 'Redis' : 'memory (set REDIS_URL to keep sign-ins over a restart)'}

  Three things to try:
    1. Sign in at ${appUrl} and look at the dashboard.
    2. Press "Expire access tokens" at ${sandboxUrl}, then reload the dashboard: nothing happens, and that is the point.
    3. Press "Revoke all grants" there, reload: you sign in again and land where you were.

  Ctrl-C stops both.
`);
}
