import { Redis, type Cluster } from 'ioredis';
import type { Config } from '../../config/config.js';
import { createUpstream } from '../../getbill/upstream.js';
import { createTokenEndpoint } from '../../core/oauth/token-endpoint.js';
import { createRedis } from '../../redis/client.js';
import { apiCheck } from './api.js';
import { createAsk } from './ask.js';
import { authorizationCheck } from './authorization.js';
import { fail, type Check, type Finding, type CheckContext, type Result } from './check.js';
import { examineConfiguration } from './configuration.js';
import { connectionChecks } from './connection.js';
import { credentialChecks } from './credentials.js';
import { deploymentChecks } from './deployment.js';
import { codeOf } from './explain-connection.js';
import { issuerCheck } from './issuer.js';
import { redisChecks } from './redis.js';
import { readRedisInfo } from './redis-info.js';
import { webhookCheck } from './webhooks.js';
import { tryAuthorization } from './try-authorization.js';
import { askTokenUrl, tokenUrlChecks } from './token-url.js';
import { useChecks } from './use.js';

/** In the order in which a fault of one would spoil the next. */
const CHECKS: readonly Check[] = [
  ...redisChecks,
  ...connectionChecks,
  ...tokenUrlChecks,
  ...credentialChecks,
  apiCheck,
  authorizationCheck,
  issuerCheck,
  ...deploymentChecks,
  ...useChecks,
  webhookCheck,
];

export interface Examination {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The deployment to look at through its proxy. */
  readonly url?: URL | undefined;
  /** PEM file of the private CA in front of that deployment. */
  readonly urlCaFile?: string | undefined;
  readonly now: () => number;
  readonly monotonicMs: () => number;
}

/** Each finding as soon as it is there, then the names of the checks that were left out. Signs nobody in, stores nothing. */
export async function* examine({ env, ...given }: Examination): AsyncGenerator<Finding, string[]> {
  const { results, config } = examineConfiguration(env);
  for (const result of results) yield { name: 'configuration', ...result };
  if (config === undefined) return CHECKS.map(({ name }) => name);

  const { context, close } = open(config, given);
  const stopped = new Set<string>();
  const leftOut: string[] = [];
  try {
    for (const check of CHECKS) {
      if (check.needs !== undefined && stopped.has(check.needs)) {
        stopped.add(check.name);
        if (check.setting === undefined || config.getbill[check.setting] !== undefined)
          leftOut.push(check.name);
        continue;
      }
      const result = await look(check, context);
      if (result?.verdict === 'fail') stopped.add(check.name);
      if (result !== undefined) yield { name: check.name, ...result };
    }
  } finally {
    await close();
  }
  return leftOut;
}

async function look(check: Check, context: CheckContext): Promise<Result | undefined> {
  try {
    return await check.examine(context);
  } catch (error) {
    return fail(
      `the check could not be finished (${(error as Error).name}, ${codeOf(error)})`,
      'run it again; if it stays, report this line',
    );
  }
}

function open(config: Config, { url, urlCaFile, now, monotonicMs }: Omit<Examination, 'env'>) {
  let secretFallbacks = 0;
  const emit = ({ type }: { type: string }): void => {
    if (type === 'client_secret_fallback') secretFallbacks += 1;
  };
  const { timeoutMs } = config.getbill;
  const upstream = createUpstream({ config: config.getbill, emit });
  const ask = createAsk({ upstream, timeoutMs, now });
  const outside = createUpstream({
    config: { ...config.getbill, caFile: urlCaFile, tlsPins: [] },
    emit,
  });
  const askOutside = createAsk({ upstream: outside, timeoutMs, now });
  const redis = config.redis === undefined ? undefined : tryingOnce(createRedis(config.redis));
  const context: CheckContext = {
    config,
    deployment: url && {
      url,
      visit: (path, { headers, ...body } = {}) =>
        askOutside(new URL(path, url), {
          headers: { accept: 'application/json', ...headers },
          ...body,
        }),
    },
    redis,
    ask,
    tokenEndpoint: createTokenEndpoint({
      provider: config.getbill,
      send: upstream.send,
      emit,
      now,
      monotonicMs,
    }),
    secretFallbacks: () => secretFallbacks,
    now,
    monotonicMs,
    redisInfo: once(async () => (redis === undefined ? {} : readRedisInfo(redis))),
    tokenResponse: once(() => askTokenUrl({ config, ask })),
    authorization: once(() => tryAuthorization({ config: config.getbill, ask })),
  };
  const close = async (): Promise<void> => {
    if (redis?.status !== 'end') redis?.disconnect(); // ioredis waits 2 s for an end that has been
    await Promise.all([upstream.close(), outside.close()]);
  };
  return { context, close };
}

/** A service comes back by itself; a person wants the reason now. Without INFO at the start, since a user may not have it. */
function tryingOnce(redis: Redis | Cluster): Redis | Cluster {
  const never = { retryStrategy: () => null, sentinelRetryStrategy: () => null };
  if (redis instanceof Redis) Object.assign(redis.options, { ...never, enableReadyCheck: false });
  return redis;
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= ask();
    return asked;
  };
}
