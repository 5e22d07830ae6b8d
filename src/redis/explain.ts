import type { RedisConfig } from '../config/config.js';
import { redisReason, StorageError } from '../errors.js';
import { problemOfFirst } from './problem-of-first.js';
import {
  handshakeFailed,
  REASONS,
  unknown,
  unknownReply,
  type Explanation,
  type Settings,
} from './reasons.js';

/** The setting that names Redis. */
export const REDIS_VARIABLE = {
  single: 'REDIS_URL',
  sentinel: 'REDIS_SENTINELS',
  cluster: 'REDIS_CLUSTER_NODES',
} as const;

/** The part of a reply that tells errors apart; most begin with a code. */
const REPLY_CODE =
  /^(ERR (unknown command|syntax error|max number of clients)|Unknown RESP type|Redis did not answer in time|(?!ERR)[A-Z]{3,}(?= ))/;

/** NOPERM of a command in a script, in the words of Redis 7.0 and of later ones. */
const NOPERM_IN_SCRIPT = /^ERR (The user executing the script can't run|ACL failure in script)/;

/** Why Redis cannot be used, and what to do. */
export interface RedisProblem {
  readonly cause: string;
  readonly fix: string;
  /** The code of the reply, or of the error of the socket. */
  readonly code: string | undefined;
  /** The words of Redis or of the socket. */
  readonly said: string;
}

/** Why there is no connection. ioredis does not tell with several nodes, so the first is asked. */
export async function explainConnect(error: unknown, config: RedisConfig): Promise<RedisProblem> {
  const reason = config.topology === 'single' ? error : await problemOfFirst(config);
  if (reason !== undefined) return explainRedis(reason, config);
  const problem = explainRedis(error, config);
  if (config.topology === 'sentinel') {
    return {
      ...problem,
      cause: `the Sentinels answer, but lead to no usable master called "${config.sentinelName}"`,
      fix: 'correct REDIS_SENTINEL_NAME; does REDIS_SENTINELS name Sentinels (port 26379), is the master up, and may this machine reach it?',
    };
  }
  return {
    ...problem,
    cause: 'Redis answers where REDIS_CLUSTER_NODES points, but as no Cluster that can be used',
    fix: 'name a single Redis in REDIS_URL instead; of a Cluster look at: redis-cli --cluster check host:port',
  };
}

/** By the code of the reply or of the socket, with the settings that are in use. */
export function explainRedis(error: unknown, config: RedisConfig): RedisProblem {
  const source = (error instanceof StorageError ? error.cause : error) as NodeJS.ErrnoException;
  const said = redisReason(source);
  const reply = NOPERM_IN_SCRIPT.test(said) ? 'NOPERM' : REPLY_CODE.exec(said)?.[0];
  const code = reply ?? source.code;
  const explanation =
    explanationOf(code) ?? (source.name === 'ReplyError' ? unknownReply : unknown);
  const [cause, fix] = explanation({
    variable: REDIS_VARIABLE[config.topology],
    said,
    ...credentialSettings(config),
  });
  return { cause, fix, code, said };
}

function explanationOf(code: string | undefined): Explanation | undefined {
  if (code === undefined) return undefined;
  if (Object.hasOwn(REASONS, code)) return REASONS[code];
  return code.startsWith('ERR_SSL_') ? handshakeFailed : undefined;
}

/** The variables with user and password of the first connection, to Redis or to a Sentinel. */
function credentialSettings(config: RedisConfig): Pick<Settings, 'user' | 'password'> {
  const variable = REDIS_VARIABLE[config.topology];
  const password = passwordSetting(config) ?? variable;
  if (config.topology !== 'sentinel') return { user: variable, password };
  const own = sentinelPasswordSetting(config);
  const hasOwnUser = config.sentinelUsername !== undefined || own !== undefined;
  return {
    user: hasOwnUser ? 'REDIS_SENTINEL_USERNAME' : variable,
    password: own ?? password,
  };
}

function passwordSetting({ passwordFile, password }: RedisConfig): string | undefined {
  if (passwordFile !== undefined) return 'REDIS_PASSWORD_FILE';
  return password === undefined ? undefined : 'REDIS_PASSWORD';
}

function sentinelPasswordSetting(config: RedisConfig): string | undefined {
  if (config.sentinelPasswordFile !== undefined) return 'REDIS_SENTINEL_PASSWORD_FILE';
  return config.sentinelPassword === undefined ? undefined : 'REDIS_SENTINEL_PASSWORD';
}
