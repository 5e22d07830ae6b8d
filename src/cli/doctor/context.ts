import { Redis, type Cluster } from 'ioredis';
import type { Config } from '../../config/config.js';
import { createUpstream } from '../../getbill/upstream.js';
import { createTokenEndpoint } from '../../core/oauth/token-endpoint.js';
import { createRedis } from '../../redis/client.js';
import { createAsk, type Ask } from './ask.js';
import type { CheckContext, Deployment } from './check.js';
import { readRedisInfo } from './redis-info.js';
import { tryAuthorization } from './try-authorization.js';
import { askTokenUrl } from './token-url.js';

export interface ContextOptions {
  /** The deployment to look at through its proxy. */
  readonly url?: URL | undefined;
  /** PEM file of the private CA in front of that deployment. */
  readonly urlCaFile?: string | undefined;
  readonly now: () => number;
  readonly monotonicMs: () => number;
}

/** What the checks look at, and what ends its connections. */
export function openContext(
  config: Config,
  { url, urlCaFile, now, monotonicMs }: ContextOptions,
): { context: CheckContext; close: () => Promise<void> } {
  const { timeoutMs } = config.getbill;
  const { emit, count } = countEvents('client_secret_fallback');
  const upstream = createUpstream({ config: config.getbill, emit });
  const outsideConfig = { ...config.getbill, caFile: urlCaFile, tlsPins: [] };
  const outside = createUpstream({ config: outsideConfig, emit });
  const ask = createAsk({ upstream, timeoutMs, now });
  const askOutside = createAsk({ upstream: outside, timeoutMs, now });
  const redis = config.redis === undefined ? undefined : tryingOnce(createRedis(config.redis));
  const context: CheckContext = {
    config,
    deployment: url && deploymentAt(url, askOutside),
    redis,
    ask,
    tokenEndpoint: createTokenEndpoint({
      provider: config.getbill,
      send: upstream.send,
      emit,
      now,
      monotonicMs,
    }),
    secretFallbacks: count,
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

function countEvents(counted: string) {
  let events = 0;
  const emit = ({ type }: { type: string }): void => {
    if (type === counted) events += 1;
  };
  return { emit, count: () => events };
}

const deploymentAt = (url: URL, ask: Ask): Deployment => ({
  url,
  visit: (path, { headers, ...body } = {}) =>
    ask(new URL(path, url), { headers: { accept: 'application/json', ...headers }, ...body }),
});

/** A service reconnects; a person wants the reason now. No INFO: a user may not have the right. */
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
