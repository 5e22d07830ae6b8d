import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../errors.js';
import { parseConfig, type Config } from './config.js';
import { misspeltNames } from './misspelt.js';
import { observeEnvironment, type Observation } from './observations.js';
import { unreadable, type Environment } from './value-files.js';
import { variables } from './variables.js';

/** `parseConfig`, and checks of the files that the configuration names. @throws {ConfigError} */
export function loadConfig(env: Environment): Config {
  const config = parseConfig(env);
  const problems = [
    ...caFileProblems('GETBILL_CA_FILE', config.getbill.caFile),
    ...caFileProblems('REDIS_CA_FILE', config.redis?.caFile),
    ...(config.production ? demoSecretProblems(config) : []),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function caFileProblems(name: string, file: string | undefined): string[] {
  if (file === undefined) return [];
  try {
    readCaFile(file);
    return [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) return [unreadable(name, error)];
    return [
      `${name} names a file that is no readable PEM certificate; let ${name} name the PEM file of the CA`,
    ];
  }
}

/**
 * Throws when the file holds no PEM certificate. Node parses a DER certificate, too, but finds none
 * in a CA file of DER, and then trusts nobody.
 */
export function readCaFile(file: string): void {
  const content = readFileSync(file);
  if (!content.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no PEM certificate');
  void new X509Certificate(content);
}

/** `npm run demo` keeps its secrets here, readable for everybody who may read the checkout. */
export const DEMO_SECRETS = '.demo/secrets.json';

function demoSecretProblems({ session, tokenEncryptionKeys }: Config): string[] {
  let demo: unknown;
  try {
    demo = JSON.parse(readFileSync(DEMO_SECRETS, 'utf8'));
  } catch {
    return []; // no demo ran here
  }
  const known = new Set(Object.values(demo ?? {}));
  const found = {
    SESSION_SECRET: session.secrets.reveal().some((text) => known.has(text)),
    TOKEN_ENCRYPTION_KEY: tokenEncryptionKeys
      .reveal()
      .some((key) => known.has(key.toString('base64'))),
  };
  return Object.entries(found)
    .filter(([, isFound]) => isFound)
    .map(
      ([name]) =>
        `${name} is the one of the demo (${DEMO_SECRETS}); make one with: openssl rand -base64 32`,
    );
}

/** What is suspicious in the environment and no fault, for the log and the doctor. */
export function suspicions(env: Environment): Observation[] {
  const known = Object.keys(variables);
  return [...observeEnvironment(env, known, readDotenv()), ...misspeltNames(env, known)];
}

/** The text of `.env`, or none. */
function readDotenv(): string {
  try {
    return readFileSync('.env', 'utf8');
  } catch {
    return '';
  }
}
