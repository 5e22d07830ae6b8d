import type { Cluster, Redis } from 'ioredis';
import { createCipher } from '../../core/storage/cipher.js';
import { createRedisKeyValue } from '../../core/storage/redis.js';
import { explainConnect, explainRedis, type RedisProblem } from '../../redis/explain.js';
import { checkOf, readCheck, SECRETS_DIFFER_KEY } from '../../redis/secret-check.js';
import { tryStorage } from '../../redis/readiness.js';
import { fail, pass, warn, type Check, type Result } from './check.js';
import { connect } from './redis-connection.js';
import { hasKey, latencyMs, sealedWith, snapshots, type Info } from './redis-reads.js';

const SLOW_MS = 20;
const TOO_SLOW_MS = 250; // a command of ours gives up after 500
const NEEDED_VERSION = 7;

/** Reads, and one key that is written, taken and gone again. */
export const redisChecks: readonly Check[] = [
  {
    name: 'Redis',
    async examine({ redis, config }) {
      if (redis === undefined || config.redis === undefined) {
        return warn(
          'REDIS_URL is not set: sessions and tokens live in the memory of one process',
          'right for a first look; set REDIS_URL to keep people signed in over a restart and to run several processes',
        );
      }
      try {
        await connect(redis);
        return pass(`${config.redis.topology}, answers`);
      } catch (error) {
        return failed(await explainConnect(error, config.redis));
      }
    },
  },
  {
    name: 'Redis version',
    needs: 'Redis',
    async examine({ redis, redisInfo }) {
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
    },
  },
  {
    name: 'Redis role',
    needs: 'Redis',
    examine: byInfo(({ role = '', slave_read_only: readOnly }) => {
      if (role !== 'slave' || readOnly === '0') return pass(role === 'master' ? 'primary' : role);
      return fail(
        'this Redis is a read-only replica: nobody could sign in',
        'let REDIS_URL name the primary; where the primary may change, use REDIS_SENTINELS',
      );
    }),
  },
  {
    name: 'Redis commands',
    needs: 'Redis role',
    async examine({ redis, config }) {
      if (redis === undefined || config.redis === undefined) return undefined;
      try {
        await tryStorage(redis);
        return pass('a record can be written, read and taken');
      } catch (error) {
        return failed(explainRedis(error, config.redis));
      }
    },
  },
  {
    name: 'Redis records',
    needs: 'Redis commands',
    async examine({ redis, config }) {
      if (redis === undefined || config.redis === undefined) return undefined;
      const keyIds = await sealedWith(redis, config.redis.keyPrefix ?? '').catch(() => undefined);
      if (keyIds === undefined || keyIds.length === 0) return undefined;
      const cipher = createCipher(config.tokenEncryptionKeys.reveal());
      const lost = keyIds.filter((id) => !hasKey(cipher, id)).length;
      if (lost === 0)
        return pass(
          `TOKEN_ENCRYPTION_KEY is the key of ${keyIds.length} records that were looked at`,
        );
      return fail(
        `${lost} of ${keyIds.length} records were encrypted with a key that TOKEN_ENCRYPTION_KEY does not hold: their people are signed out`,
        'give every process the same TOKEN_ENCRYPTION_KEY; after a change keep the old key behind the new one: new,old',
      );
    },
  },
  {
    name: 'session secret',
    needs: 'Redis commands',
    async examine({ redis, config }) {
      if (redis === undefined) return undefined;
      const [running, differ] = await Promise.all([
        readCheck(createRedisKeyValue({ redis })),
        redis.get(SECRETS_DIFFER_KEY).catch(() => null), // of another type
      ]);
      if (differ === '1') {
        return fail(
          'two processes use different SESSION_SECRETs: each refuses the sessions of the other, so people are signed out at random',
          'give every process the same SESSION_SECRET (while it is being changed new,old) and restart them; two minutes later run this again',
        );
      }
      if (running === undefined) return undefined; // no process runs
      if (config.session.secrets.reveal().map(checkOf).includes(running)) {
        return pass('SESSION_SECRET is that of the running processes');
      }
      return fail(
        'SESSION_SECRET is not the one that the running processes use: a process started with it would sign people out',
        'give every process the same SESSION_SECRET; while it is being changed new,old',
      );
    },
  },
  {
    name: 'Redis eviction',
    needs: 'Redis',
    examine: byInfo(({ maxmemory_policy: policy = 'unknown' }) => {
      if (policy === 'noeviction') return pass(policy);
      return warn(
        `maxmemory-policy is ${policy}: when memory is full Redis throws sessions and tokens away, and people are signed out`,
        'set maxmemory-policy noeviction in redis.conf (at once: redis-cli CONFIG SET maxmemory-policy noeviction)',
      );
    }),
  },
  {
    name: 'Redis persistence',
    needs: 'Redis',
    examine: byInfo(async ({ aof_enabled: appendOnly }, redis) => {
      if (appendOnly === '1') return pass('append-only file');
      const saves = (await snapshots(redis)) ? 'only snapshots' : 'nothing';
      return warn(
        `Redis keeps ${saves} on disk: after its restart tokens are gone or old, GetBill refuses old ones (invalid_grant), and people sign in again`,
        'set appendonly yes in redis.conf (at once: redis-cli CONFIG SET appendonly yes)',
      );
    }),
  },
  {
    name: 'Redis latency',
    needs: 'Redis commands',
    async examine(context) {
      if (context.redis === undefined) return undefined;
      const ms = await latencyMs(context.redis, context);
      const text = `${ms.toFixed(1)} ms, the middle of five`;
      if (ms < SLOW_MS) return pass(text);
      const fix =
        'run Redis near the app: same region, same network; look for slow commands with redis-cli SLOWLOG GET';
      return (ms < TOO_SLOW_MS ? warn : fail)(
        `Redis takes ${text}; every request waits for it at least once`,
        fix,
      );
    },
  },
];

const failed = ({ cause, fix, code }: RedisProblem): Result =>
  fail(code === undefined ? cause : `${cause} (${code})`, fix);

function byInfo(
  judge: (info: Info, redis: Redis | Cluster) => Result | Promise<Result>,
): Check['examine'] {
  return async ({ redis, redisInfo }) => {
    if (redis === undefined) return undefined;
    const info = await redisInfo();
    return info['redis_version'] === undefined ? undefined : judge(info, redis);
  };
}
