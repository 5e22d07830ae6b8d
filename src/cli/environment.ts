import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { jsonObject } from '../core/json.js';
import { DEMO_SECRETS } from '../config/load.js';
import { misused } from './input.js';
import { loadEnvFile } from './text-file.js';

type Environment = Readonly<Record<string, string | undefined>>;

const STORAGES = ['REDIS_URL', 'REDIS_CLUSTER_NODES', 'REDIS_SENTINELS'];

/**
 * Without shared storage nothing that this process stores outlives it, so the two secrets that
 * protect records are made up. With shared storage they must be the installation's own: others read
 * what is written here.
 */
export function withThrowawaySecrets(env: Environment): Environment {
  if (STORAGES.some((name) => env[name] || env[`${name}_FILE`])) return env;
  const random = (): string => randomBytes(32).toString('base64');
  return {
    ...env,
    SESSION_SECRET: env['SESSION_SECRET'] || random(),
    TOKEN_ENCRYPTION_KEY: env['TOKEN_ENCRYPTION_KEY'] || random(),
  };
}

/**
 * `.env`, where there is one. What the environment has already stays as it is. Unlike Node's
 * option, silent without it.
 * @throws {InvalidArgumentError} it cannot be read.
 */
export function loadDotenv(): void {
  if (!existsSync('.env')) return;
  try {
    loadEnvFile('.env');
  } catch {
    misused('.env is no text file that can be read; correct it, or take it away');
  }
}

/** `npm run demo` writes its settings here while it runs; its secrets are in `DEMO_SECRETS`. */
const RUNNING_DEMO = '.demo/running.json';
const DEMO_RESPONDS_WITHIN_MS = 1_000;

/**
 * The environment; without any GETBILL_ variable, that of a demo that runs in this folder.
 * @param tell is told about it.
 */
export async function orRunningDemo(
  env: Environment,
  tell: (line: string) => void,
): Promise<Environment> {
  const isOwn = Object.entries(env).some(([name, value]) => name.startsWith('GETBILL_') && value);
  if (isOwn) return env;
  const demo = stringsOf(jsonObject(textOf(RUNNING_DEMO))?.['env']);
  const sandbox = demo['GETBILL_BASE_URL'];
  if (sandbox === undefined || !(await responds(sandbox))) return env;
  tell(`using the demo's sandbox at ${sandbox}: no GetBill client in .env`);
  const given = Object.entries(env).filter(([, value]) => value);
  // the proxy of a network does not lead to this machine
  const direct = { NO_PROXY: '*', no_proxy: '*' };
  const secrets = stringsOf(jsonObject(textOf(DEMO_SECRETS)));
  return { ...Object.fromEntries(given), ...direct, ...demo, ...secrets };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function stringsOf(value: unknown): Record<string, string> {
  const entries = Object.entries(value ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(entries);
}

async function responds(origin: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(DEMO_RESPONDS_WITHIN_MS);
    return (await fetch(`${origin}/healthz`, { signal })).ok;
  } catch {
    return false;
  }
}
