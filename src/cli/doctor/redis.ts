import type { Cluster, Redis } from 'ioredis';
import type { Config, RedisConfig } from '../../config/config.js';
import { createCipher } from '../../core/storage/cipher.js';
import { createRedisKeyValue } from '../../core/storage/redis.js';
import { connect } from '../../redis/connect.js';
import { explainConnect, explainRedis, type RedisProblem } from '../../redis/explain.js';
import { checkOf, readCheck, SECRETS_DIFFER_KEY } from '../../redis/secret-check.js';
import { assertHoldsAllSlots, tryStorage } from '../../redis/readiness.js';
import { fail, pass, warn, type Check, type CheckContext, type Result } from './check.js';
import {
  byInfo,
  examineVersion,
  judgeEviction,
  judgePersistence,
  judgeRole,
} from './redis-info.js';
import { hasKey, latencyMs, sealedWith } from './redis-reads.js';

const CONNECT_WITHIN_MS = 3_000;
const SLOW_MS = 20;
const TOO_SLOW_MS = 250; // a command of ours gives up after 500

/** Reads, and one key that is written, taken and gone again. */
export const redisChecks: readonly Check[] = [
  { name: 'Redis', examine: examineConnection },
  { name: 'Redis version', needs: 'Redis', examine: examineVersion },
  { name: 'Redis role', needs: 'Redis', examine: byInfo(judgeRole) },
  { name: 'Redis commands', needs: 'Redis role', examine: ofRedis(examineCommands) },
  { name: 'Redis records', needs: 'Redis commands', examine: ofRedis(examineRecords) },
  { name: 'session secret', needs: 'Redis commands', examine: ofRedis(examineSessionSecret) },
  { name: 'Redis eviction', needs: 'Redis', examine: byInfo(judgeEviction) },
  { name: 'Redis persistence', needs: 'Redis', examine: byInfo(judgePersistence) },
  { name: 'Redis latency', needs: 'Redis commands', examine: ofRedis(examineLatency) },
];

interface RedisContext extends CheckContext {
  readonly redis: Redis | Cluster;
  readonly config: Config & { readonly redis: RedisConfig };
}

const hasRedis = (context: CheckContext): context is RedisContext =>
  context.redis !== undefined && context.config.redis !== undefined;

function ofRedis(
  examine: (context: RedisContext) => Promise<Result | undefined>,
): Check['examine'] {
  return async (context) => (hasRedis(context) ? await examine(context) : undefined);
}

async function examineConnection(context: CheckContext): Promise<Result> {
  if (!hasRedis(context)) {
    return warn(
      'REDIS_URL is not set: sessions and tokens live in the memory of one process',
      'right for a first look; set REDIS_URL to keep people signed in over a restart and to run several processes',
    );
  }
  const { redis, config } = context;
  try {
    await connect(redis, CONNECT_WITHIN_MS, async () => {
      await assertHoldsAllSlots(redis);
      await redis.get('ping');
    });
    return pass(`${config.redis.topology}, answers`);
  } catch (error) {
    return failed(await explainConnect(error, config.redis));
  }
}

async function examineCommands({ redis, config }: RedisContext): Promise<Result> {
  try {
    await tryStorage(redis);
    return pass('a record can be written, read and taken');
  } catch (error) {
    return failed(explainRedis(error, config.redis));
  }
}

const failed = ({ cause, fix, code }: RedisProblem): Result =>
  fail(code === undefined ? cause : `${cause} (${code})`, fix);

async function examineRecords({ redis, config }: RedisContext): Promise<Result | undefined> {
  const keyIds = await sealedWith(redis, config.redis.keyPrefix ?? '').catch(() => undefined);
  if (keyIds === undefined || keyIds.length === 0) return undefined;
  const cipher = createCipher(config.tokenEncryptionKeys.reveal());
  const lost = keyIds.filter((id) => !hasKey(cipher, id)).length;
  if (lost === 0)
    return pass(`TOKEN_ENCRYPTION_KEY is the key of ${keyIds.length} records that were looked at`);
  return fail(
    `${lost} of ${keyIds.length} records were encrypted with a key that TOKEN_ENCRYPTION_KEY does not hold: their people are signed out`,
    'give every process the same TOKEN_ENCRYPTION_KEY; after a change keep the old key behind the new one: new,old',
  );
}

async function examineSessionSecret({ redis, config }: RedisContext): Promise<Result | undefined> {
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
  if (config.session.secrets.reveal().map(checkOf).includes(running))
    return pass('SESSION_SECRET is that of the running processes');
  return fail(
    'SESSION_SECRET is not the one that the running processes use: a process started with it would sign people out',
    'give every process the same SESSION_SECRET; while it is being changed new,old',
  );
}

async function examineLatency(context: RedisContext): Promise<Result> {
  const ms = await latencyMs(context.redis, context);
  const text = `${ms.toFixed(1)} ms, the middle of five`;
  if (ms < SLOW_MS) return pass(text);
  const warnOrFail = ms < TOO_SLOW_MS ? warn : fail;
  return warnOrFail(
    `Redis takes ${text}; every request waits for it at least once`,
    'run Redis near the app: same region, same network; look for slow commands with redis-cli SLOWLOG GET',
  );
}
