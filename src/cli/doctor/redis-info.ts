import type { Cluster, Redis } from 'ioredis';
import { fail, pass, warn, type Check, type CheckContext, type Result } from './check.js';

const NEEDED_VERSION = 7;

type Info = Readonly<Record<string, string>>;

/** `INFO` as a record; empty where it is not allowed or renamed. One node answers for a Cluster. */
export async function readRedisInfo(redis: Redis | Cluster): Promise<Info> {
  const text = await redis.info().catch((error: unknown) => {
    if (/^(NOPERM|ERR unknown command)/.test((error as Error).message)) return '';
    throw error;
  });
  return Object.fromEntries(
    text.split('\r\n').flatMap((line) => {
      const [, key, value] = /^(\w+):(.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
}

/** A check of what INFO says. Where INFO is not allowed, `examineVersion` says so. */
export function byInfo(
  judge: (info: Info, redis: Redis | Cluster) => Result | Promise<Result>,
): Check['examine'] {
  return async ({ redis, redisInfo }) => {
    if (redis === undefined) return undefined;
    const info = await redisInfo();
    return info['redis_version'] === undefined ? undefined : judge(info, redis);
  };
}

export async function examineVersion({ redis, redisInfo }: CheckContext) {
  if (redis === undefined) return undefined;
  const { redis_version: version } = await redisInfo();
  if (version === undefined) {
    return warn(
      'this Redis user may not use INFO: version, role, eviction and persistence cannot be seen',
      'allow it for this user (ACL SETUSER name +info), or look at those four yourself',
    );
  }
  if (Number.parseInt(version, 10) >= NEEDED_VERSION) return pass(version);
  return fail(
    `Redis ${version} is too old: SET with NX and GET together needs version 7`,
    'run Redis 7 or newer',
  );
}

export function judgeRole({ role = '', slave_read_only: readOnly }: Info): Result {
  if (role !== 'slave' || readOnly === '0') return pass(role === 'master' ? 'primary' : role);
  return fail(
    'this Redis is a read-only replica: nobody could sign in',
    'let REDIS_URL name the primary; where the primary may change, use REDIS_SENTINELS',
  );
}

export function judgeEviction({ maxmemory_policy: policy = 'unknown' }: Info): Result {
  if (policy === 'noeviction') return pass(policy);
  return warn(
    `maxmemory-policy is ${policy}: when memory is full Redis throws sessions and tokens away, and people are signed out`,
    'set maxmemory-policy noeviction in redis.conf (at once: redis-cli CONFIG SET maxmemory-policy noeviction)',
  );
}

export async function judgePersistence(
  { aof_enabled: appendOnly }: Info,
  redis: Redis | Cluster,
): Promise<Result> {
  if (appendOnly === '1') return pass('append-only file');
  const saves = (await snapshots(redis)) ? 'only snapshots' : 'nothing';
  return warn(
    `Redis keeps ${saves} on disk: after its restart tokens are gone or old, GetBill refuses old ones (invalid_grant), and people sign in again`,
    'set appendonly yes in redis.conf (at once: redis-cli CONFIG SET appendonly yes)',
  );
}

/** Assumes snapshots where CONFIG is forbidden, as at many providers: the advice is the same. */
async function snapshots(redis: Redis | Cluster): Promise<boolean> {
  try {
    const [, rules] = (await redis.call('CONFIG', 'GET', 'save')) as [string, string];
    return rules !== '';
  } catch {
    return true;
  }
}
