// `npm start`: runs the built app, and builds it first when it is missing or older than its source.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadEnvFile } from '../src/cli/text-file.js';

const BUILT = 'dist/main.js';
const COMPILER = 'node_modules/typescript/bin/tsc';
const PARENT_CHECKED_EVERY_MS = 500;

function newest(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)).mtimeMs)
    .reduce((latest, time) => Math.max(latest, time), 0);
}

/**
 * Runs the compiler by its path: `npm` and `tsc` on the PATH are scripts that Windows cannot start
 * without a shell.
 */
function build(): void {
  process.stderr.write('building...\n');
  if (!existsSync(COMPILER))
    fail(`${COMPILER} is missing. Run "npm ci", or build elsewhere and bring dist/ along.`);
  const { error, signal, status } = spawnSync(
    process.execPath,
    [COMPILER, '-p', 'tsconfig.build.json'],
    {
      stdio: 'inherit',
    },
  );
  if (error !== undefined) fail(`the compiler could not be started: ${error.message}`);
  if (signal !== null) fail(`the compiler was ended by ${signal}`);
  if (status !== 0) fail('the compiler found errors, see above');
}

function fail(reason: string): never {
  process.stderr.write(`GetBill Connect cannot be built: ${reason}\n`);
  process.exit(1);
}

const REQUIRED = [
  'GETBILL_CLIENT_ID',
  'GETBILL_CLIENT_SECRET',
  'SESSION_SECRET',
  'TOKEN_ENCRYPTION_KEY',
];

/** A fresh checkout: nothing is set, and nobody has copied the example yet. */
function isNotSetUp(): boolean {
  const isSet = (name: string): boolean =>
    [name, `${name}_FILE`].some((each) => (process.env[each] ?? '') !== '');
  return existsSync('.env.example') && !existsSync('.env') && !REQUIRED.some(isSet);
}

/**
 * Stops the app when npm has gone. npm hands a SIGTERM to the shell that it started, and the shell
 * ends without handing it on; the app then has another parent.
 */
function stopWithNpm(): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const check = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(check);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_CHECKED_EVERY_MS).unref();
}

/**
 * Node's option for it prints a line where there is none. Docker makes a folder of a file that it
 * cannot find.
 */
function loadDotenv(): void {
  if (!existsSync('.env')) return;
  try {
    loadEnvFile('.env');
  } catch {
    process.stderr.write('.env is no text file that can be read; correct it, or take it away\n');
    process.exit(1);
  }
}

loadDotenv();
if (isNotSetUp()) {
  process.stderr.write(
    'There is no .env: copy .env.example and fill it in, or run: npm run demo\n',
  );
  process.exit(1);
}
if (!existsSync(BUILT) || newest('src') > statSync(BUILT).mtimeMs) build();
stopWithNpm();
await import(new URL(`../${BUILT}`, import.meta.url).href);
