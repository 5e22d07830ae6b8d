import type { Cluster, Redis } from 'ioredis';
import type { RedisConfig } from '../../config/config.js';
import { REDIS_VARIABLE } from '../../redis/connect.js';
import { assertHoldsAllSlots } from '../../redis/readiness.js';
import { problemOfFirst } from '../../redis/client.js';
import { fail, type Result } from './check.js';
import { codeOf } from './explain.js';

const CONNECT_WITHIN_MS = 3_000;

/** @throws the error that names the reason; the one of `connect()` itself says only that the connection is closed. */
export async function connect(redis: Redis | Cluster): Promise<void> {
  let seen: Error | undefined;
  redis.on('error', (error: Error) => {
    seen = error;
  });
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(Object.assign(new Error('no response'), { code: 'ETIMEDOUT' })),
      CONNECT_WITHIN_MS,
    );
  });
  try {
    const used = redis
      .connect()
      .then(() => assertHoldsAllSlots(redis))
      .then(() => redis.get('ping'));
    await Promise.race([used, tooLate]);
  } catch (error) {
    throw seen ?? error;
  } finally {
    clearTimeout(timer);
  }
}

/** By the code of the reply or of the socket, with the settings that are in use. */
export async function explainRedis(error: unknown, config: RedisConfig): Promise<Result> {
  // Of several nodes ioredis says only that none can be used.
  const reason = config.topology === 'single' ? error : await problemOfFirst(config);
  if (reason === undefined && config.topology === 'sentinel') {
    return fail(
      `the Sentinels answer, but lead to no usable master called "${config.sentinelName}" (${codeOf(error)})`,
      'correct REDIS_SENTINEL_NAME; does REDIS_SENTINELS name Sentinels (port 26379), is the master up, and may this machine reach it?',
    );
  }
  if (reason === undefined && config.topology === 'cluster') {
    return fail(
      'Redis answers where REDIS_CLUSTER_NODES points, but as no Cluster that can be used',
      'name a single Redis in REDIS_URL instead; of a Cluster look at: redis-cli --cluster check host:port',
    );
  }
  const { message = '' } = (reason ?? error) as { message?: string };
  const code = /^[A-Z]{4,}(?= )/.exec(message)?.[0] ?? codeOf(reason ?? error);
  const variable = REDIS_VARIABLE[config.topology];
  const explanation = Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
  const [cause, fix] = explanation?.({ variable, ...credentialSettings(config) }) ?? [
    'Redis does not answer',
    `is Redis running where ${variable} says, with TLS where that is rediss://, and is the way there open?`,
  ];
  return fail(`${cause} (${code})`, fix);
}

interface Settings {
  /** Names the place. */
  readonly variable: string;
  /** Hold user and password. */
  readonly user: string;
  readonly password: string;
}

/** Of the first connection that is made: to Redis, or to a Sentinel. */
function credentialSettings(config: RedisConfig): Omit<Settings, 'variable'> {
  const variable = REDIS_VARIABLE[config.topology];
  const forRedis =
    config.passwordFile !== undefined
      ? 'REDIS_PASSWORD_FILE'
      : config.password
        ? 'REDIS_PASSWORD'
        : variable;
  if (config.topology !== 'sentinel') return { user: variable, password: forRedis };
  const isOwn = config.sentinelPasswordFile !== undefined || config.sentinelPassword !== undefined;
  const own =
    config.sentinelPasswordFile === undefined
      ? 'REDIS_SENTINEL_PASSWORD'
      : 'REDIS_SENTINEL_PASSWORD_FILE';
  return {
    user: config.sentinelUsername === undefined && !isOwn ? variable : 'REDIS_SENTINEL_USERNAME',
    password: isOwn ? own : forRedis,
  };
}

type Explanation = (settings: Settings) => readonly [cause: string, fix: string];

const noPassword: Explanation = ({ variable, user, password }) => [
  'Redis refuses our name or password',
  password === variable
    ? `put the right ones into ${variable}: rediss://name:password@host:port; special characters percent-encoded`
    : `put the right password into ${password}, and the name into ${user}`,
];
const untrusted: Explanation = () => [
  'the certificate of Redis is not trusted here',
  'set REDIS_CA_FILE to the PEM file of its CA',
];

const REASONS: Readonly<Record<string, Explanation>> = {
  ECONNREFUSED: ({ variable }) => [
    `nothing listens where ${variable} points`,
    `start Redis, or correct host and port in ${variable}`,
  ],
  ENOENT: ({ variable }) => [
    `there is no socket where ${variable} points`,
    `start Redis, or correct the path in ${variable}`,
  ],
  ENOTFOUND: ({ variable }) => [
    `DNS does not know the host in ${variable}`,
    `correct the host in ${variable}`,
  ],
  CLUSTER_NODE: ({ variable }) => [
    `${variable} names one node of a Cluster, which holds only a part of the keys`,
    `name it in REDIS_CLUSTER_NODES instead, and unset ${variable}`,
  ],
  NO_DATABASE: ({ variable }) => [
    `Redis does not let us use the database that ${variable} names`,
    `correct the number at the end of ${variable}, or let its user select one (ACL SETUSER name +select)`,
  ],
  WRONGPASS: noPassword,
  NOAUTH: (settings) => ['Redis wants a password and was sent none', noPassword(settings)[1]],
  LOADING: () => ['Redis is still reading its data from disk', 'wait a moment and run this again'],
  ECONNRESET: () => [
    'Redis closed the connection',
    'TLS on one side only? rediss:// is with TLS, redis:// without',
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: ({ variable }) => [
    `${variable} says TLS, but Redis speaks without`,
    `write redis:// in ${variable}, or switch TLS on in Redis`,
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
};
