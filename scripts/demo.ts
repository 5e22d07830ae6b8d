// `npm run demo`: a sandbox GetBill and the app, configured for each other; nothing to install, no
// account. Imports nothing that an older Node lacks, so that it can say which Node is needed.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { listenToKeys, openInBrowser, type Key } from './support/demo-keys.js';
import { anyFreePort, portProblems } from './support/demo-ports.js';
import { NO_REDIS, processCount, startFront, startRedis } from './support/demo-processes.js';
import { createNarrator } from './support/narrator.js';

const KILL_AFTER_MS = 5_000;

requireNode();

const appPort = process.env['PORT'] || '3000';
const sandboxPort = process.env['SANDBOX_PORT'] || '4000';
const appUrl = `http://localhost:${appPort}`;
const sandboxUrl = `http://localhost:${sandboxPort}`;

const problems = await portProblems([
  { variable: 'PORT', value: appPort, usedFor: 'the app' },
  { variable: 'SANDBOX_PORT', value: sandboxPort, usedFor: 'the sandbox' },
]);
if (problems.length > 0) {
  console.error(`The demo cannot start:\n${problems.map((line) => `  ${line}`).join('\n')}`);
  process.exit(1);
}

const processes = processCount(process.argv.slice(2));
if (typeof processes === 'string') {
  console.error(processes);
  process.exit(1);
}
const redis = processes > 1 && !process.env['REDIS_URL'] ? await startRedis() : undefined;
if (redis !== undefined) process.env['REDIS_URL'] = redis.url;
if (processes > 1 && !process.env['REDIS_URL']) {
  console.error(NO_REDIS.join('\n'));
  process.exit(1);
}

/** Kept in an ignored file, so that a restart keeps the sign-in when REDIS_URL is set. */
function secrets(): Record<string, string> {
  const file = '.demo/secrets.json';
  const random = (): string => randomBytes(32).toString('base64');
  if (!existsSync(file)) {
    mkdirSync('.demo', { recursive: true });
    const fresh = {
      GETBILL_CLIENT_SECRET: random(),
      SESSION_SECRET: random(),
      TOKEN_ENCRYPTION_KEY: random(),
    };
    writeFileSync(file, JSON.stringify(fresh, null, 2), { mode: 0o600 });
  }
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  if (kept['GETBILL_WEBHOOK_SECRET'] !== undefined) return kept;
  const withWebhooks = { ...kept, GETBILL_WEBHOOK_SECRET: random() };
  writeFileSync(file, JSON.stringify(withWebhooks, null, 2), { mode: 0o600 });
  return withWebhooks;
}

const shared = secrets();
const clientId = 'demo-client';
/** The first company of the sandbox. */
const exampleCompanyId = 'hTBN7n6lkmkhMb6LYqEBZw';
const settings = {
  NODE_ENV: 'development',
  PORT: appPort,
  PUBLIC_URL: appUrl,
  GETBILL_CLIENT_ID: clientId,
  GETBILL_BASE_URL: sandboxUrl,
  GETBILL_ISSUER: sandboxUrl,
  GETBILL_SCOPES: 'company:read debts:read followups:read',
  GETBILL_WEBHOOK_COMPANY: exampleCompanyId,
  RATE_LIMIT_LOGIN: '1000',
  RATE_LIMIT_CALLBACK: '1000',
  RATE_LIMIT_API: '10000',
  RATE_LIMIT_PAGES: '10000',
  FLOW_INSPECTOR: 'true',
  TOUR: 'true',
  DRAIN_DELAY_S: '0',
};
/** Everything it knows goes to the log file; the terminal has a line per event, in words. */
const appEnv = { ...shared, ...settings, LOG_LEVEL: 'debug' };
const sandboxEnv = {
  SANDBOX_PORT: sandboxPort,
  SANDBOX_CLIENT_ID: clientId,
  SANDBOX_CLIENT_SECRET: shared['GETBILL_CLIENT_SECRET'],
  SANDBOX_REDIRECT_URIS: `${appUrl}/oauth/callback`,
  SANDBOX_APP_URL: appUrl,
  SANDBOX_WEBHOOK_URL: `${appUrl}/webhooks/getbill`,
  SANDBOX_WEBHOOK_SECRET: shared['GETBILL_WEBHOOK_SECRET'],
  SANDBOX_WEBHOOK_COMPANY: exampleCompanyId,
};

const LOG_FILE = '.demo/app.log';
const log = createWriteStream(LOG_FILE, { mode: 0o600 });
const narrate = createNarrator({
  hasColour: process.stdout.isTTY && !process.env['NO_COLOR'],
  columns: () => process.stdout.columns || 120,
});

const children: ChildProcess[] = [];
const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;
const exited = async (child: ChildProcess): Promise<void> => {
  if (!hasEnded(child)) await new Promise((resolve) => child.once('exit', resolve));
};
let stopping = false as boolean;

function start(script: string, env: NodeJS.ProcessEnv): void {
  // Only what a program needs from the shell; a developer's own GETBILL_* settings must not leak
  // into the demo.
  const { PATH, HOME, REDIS_URL, TERM } = process.env;
  const base = Object.fromEntries(
    Object.entries({ PATH, HOME, REDIS_URL, TERM }).filter(([, value]) => value),
  );
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    env: { ...base, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  createInterface({ input: child.stdout }).on('line', (line) => {
    log.write(`${line}\n`);
    for (const told of narrate(line)) console.log(told);
  });
  child.once('exit', (code) => void stop(code ?? 1));
}

/** Ends both. What has not ended after five seconds, or at the third Ctrl-C, is killed. */
async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  for (const child of children) child.kill('SIGTERM');
  await Promise.race([Promise.all(children.map(exited)), delay(KILL_AFTER_MS)]);
  await kill(code);
}

async function kill(code: number): Promise<void> {
  for (const child of children.filter((one) => !hasEnded(one))) child.kill('SIGKILL');
  await Promise.all(children.map(exited));
  redis?.stop();
  forget();
  process.exit(code);
}

const RUNNING = '.demo/running.json';

/**
 * For `npm run getbill` and `npm run doctor`, which use the demo's sandbox while there is no
 * `.env`.
 */
function remember(): void {
  const { REDIS_URL } = process.env;
  const env = { ...settings, ...(REDIS_URL && { REDIS_URL }) };
  writeFileSync(RUNNING, JSON.stringify({ pid: process.pid, env }, null, 2), { mode: 0o600 });
}

/** Unless another demo has written its own by now. */
function forget(): void {
  try {
    const { pid } = JSON.parse(readFileSync(RUNNING, 'utf8')) as { pid?: unknown };
    if (pid === process.pid) rmSync(RUNNING);
  } catch {
    // never written, or gone
  }
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

const isThere = (url: string): Promise<boolean> =>
  fetch(url, { redirect: 'manual' }).then(
    async (response) => {
      await response.body?.cancel();
      return response.status !== 404;
    },
    () => false,
  );

function requireNode(): void {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    engines: { node: string };
  };
  const needed = engines.node.replace('>=', '');
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number);
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return;
  console.error(
    `The demo needs Node ${needed} or newer, and this is Node ${process.versions.node}.`,
  );
  console.error(
    'Install a newer one from https://nodejs.org, or with a version manager: nvm install 24',
  );
  console.error('Then: npm ci && npm run demo');
  process.exit(1);
}

/** They share PUBLIC_URL, where a front hands them the requests in turn. */
async function startProcesses(count: number): Promise<void> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await anyFreePort());
  for (const port of ports) start('src/main.ts', { ...appEnv, PORT: String(port) });
  await Promise.all(ports.map((port) => answers(`http://127.0.0.1:${port}/readyz`)));
  await startFront(Number(appPort), ports);
}

/** Operations of the sandbox's panel. */
async function atSandbox(operation: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await fetch(`${sandboxUrl}/_sandbox/${operation}`, { method: 'POST', headers, body: '{}' }).catch(
    () => undefined, // it is stopping
  );
}

function show(url: string): void {
  say(`opening ${url}`);
  openInBrowser(url);
}

const say = (text: string): void => console.log(`  ${text}`);

const keys: Key[] = [
  { key: 'o', does: 'open', press: () => show(appUrl) },
  { key: 'p', does: 'panel', press: () => show(sandboxUrl) },
  {
    key: 'e',
    does: 'expire',
    async press() {
      await atSandbox('expire-access-tokens');
      say('All access tokens have expired. Reload the dashboard: nobody will notice.');
    },
  },
  {
    key: 'r',
    does: 'revoke',
    async press() {
      await atSandbox('revoke-grants');
      say('All permissions are revoked. Reload: you sign in and land where you were.');
    },
  },
  { key: '?', does: 'help', press: () => console.log(help()) },
  { key: 'q', does: 'quit', press: () => stop(0) },
];

function help(): string {
  const storage = process.env['REDIS_URL']
    ? 'Redis'
    : 'memory (set REDIS_URL to keep sign-ins over a restart)';
  const byKey = process.stdin.isTTY;
  const has = (room: string): boolean => keys.some(({ does }) => does === room);
  const toTry = [
    `Sign in at ${appUrl} and look at the dashboard.`,
    `${byKey ? 'Press e' : `"Expire access tokens" at ${sandboxUrl}`}, reload the dashboard: nobody notices.`,
    has('flow') && `See each message of that renewal at ${appUrl}/flow.`,
    `${byKey ? 'Press r' : '"Revoke all grants"'}, reload: you sign in again and land where you were.`,
    'In another terminal: npm run getbill -- debts list',
    has('tour') &&
      `${byKey ? 'Press t' : `Open ${appUrl}/tour`}: seven failures, played in your name.`,
  ].filter((each) => each !== false);
  return `
  GetBill Connect    ${appUrl}
  sandbox GetBill    ${sandboxUrl}   (made-up data: break things here)
  storage            ${storage}
  app processes      ${processes}${processes === 1 ? ' (npm run demo -- --processes 3)' : ', in turn'}
  full log           ${LOG_FILE}

  Things to try:
${toTry.map((each, index) => `    ${index + 1}. ${each}`).join('\n')}

  ${byKey ? keys.map(({ key, does }) => `${key} ${does}`).join('  ') : 'Ctrl-C stops both.'}
`;
}

let signals = 0; // npm and the terminal both send one for the same Ctrl-C
const interrupt = (): void => void (++signals > 2 ? kill(1) : stop(0));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
process.stdout.on('error', () => void stop(1)); // "| head" has seen enough, or the terminal is gone

console.log('starting the sandbox GetBill and the app ...');
start('sandbox/main.ts', sandboxEnv);
if (processes === 1) start('src/main.ts', appEnv);
else await startProcesses(processes);
await Promise.all([answers(`${sandboxUrl}/healthz`), answers(`${appUrl}/readyz`)]);
if (!stopping) {
  remember();
  for (const does of ['tour', 'flow']) {
    const url = `${appUrl}/${does}`;
    if (await isThere(url))
      keys.splice(1, 0, { key: does.charAt(0), does, press: () => show(url) });
  }
  console.log(help());
  const releaseTerminal = listenToKeys(keys, interrupt);
  process.once('exit', releaseTerminal);
}
