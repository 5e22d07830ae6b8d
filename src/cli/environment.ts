import { randomBytes } from 'node:crypto';

type Environment = Readonly<Record<string, string | undefined>>;

const STORAGES = ['REDIS_URL', 'REDIS_CLUSTER_NODES', 'REDIS_SENTINELS'];

/**
 * Without shared storage nothing this process stores outlives it, so the two secrets that protect stored records are
 * made for the occasion. With shared storage they must be the installation's own: others read what is written here.
 */
export function withPassingSecrets(env: Environment): Environment {
  if (STORAGES.some((name) => env[name] || env[`${name}_FILE`])) return env;
  const random = (): string => randomBytes(32).toString('base64');
  return {
    ...env,
    SESSION_SECRET: env['SESSION_SECRET'] || random(),
    TOKEN_ENCRYPTION_KEY: env['TOKEN_ENCRYPTION_KEY'] || random(),
  };
}
