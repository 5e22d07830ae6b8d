import type { Router } from 'express';
import { createCipher } from '../core/storage/cipher.js';
import { createRedis, type RedisConfig } from '../core/storage/redis.js';
import { reconnectForEver } from '../core/storage/connect.js';
import type { Config } from '../config/config.js';
import { AppError } from '../errors.js';
import type { Emit } from '../events.js';
import type { ProfileCache } from '../getbill/profile-cache.js';
import { createWebhooks, type WebhooksReport } from './webhooks.js';

/** What this room takes of the services. */
export interface WebhooksServices {
  readonly config: Pick<Config, 'webhooks' | 'redis' | 'tokenEncryptionKeys'>;
  readonly log: { warn(fields: object, message: string): void };
  readonly emit: Emit;
  readonly now: () => number;
  readonly profiles: Pick<ProfileCache, 'forgetCompany'>;
  readonly onStop: (stop: () => Promise<void>) => void;
}

/** The optional room of webhooks: without a secret its paths are 404 and nothing runs. */
export function webhooksRoom({ config, log, emit, now, profiles, onStop }: WebhooksServices): { receiver: Router } {
  const { endpoints, ...settings } = config.webhooks;
  const isOn = endpoints.length > 0;
  const onError = (error: Error): void => log.warn({ err: error }, 'redis connection of webhooks');
  const connection = isOn && config.redis !== undefined ? connect(config.redis, onError) : undefined;
  const webhooks = createWebhooks({
    config: { ...settings, endpoints: endpoints.map((each) => ({ ...each, secrets: each.secrets.reveal() })) },
    redis: connection?.redis,
    ...(connection !== undefined && { connected: connection.connected }),
    cipher: createCipher(config.tokenEncryptionKeys.reveal()),
    onChanges: (companyId) => profiles.forgetCompany(companyId),
    report: reportTo(emit),
    clock: { now, monotonicMs: () => performance.now() },
  });
  onStop(async () => {
    await webhooks.stop();
    connection?.close();
  });
  return { receiver: webhooks.router };
}

const CONNECTED_WITHIN_MS = 2_000;

/**
 * A connection of its own: a burst of webhooks, or a WAIT for replicas, holds up no session. `connected` resolves when it
 * is there, or has had its time: then commands fail until it is.
 */
function connect(config: RedisConfig, onError: (error: Error) => void) {
  const redis = createRedis(config);
  redis.on('error', onError);
  const stopReconnecting = reconnectForEver(redis);
  const attempt = redis.connect().catch(() => undefined);
  const timeIsUp = new Promise<void>((resolve) => setTimeout(resolve, CONNECTED_WITHIN_MS).unref());
  return {
    redis,
    connected: Promise.race([attempt, timeIsUp]),
    close(): void {
      stopReconnecting();
      redis.disconnect();
    },
  };
}

function reportTo(emit: Emit): WebhooksReport {
  return {
    received: ({ endpoint, type, outcome }) => emit({ type: 'webhook_received', endpoint, eventType: type, outcome }),
    refused: ({ endpoint, reason }) => emit({ type: 'webhook_refused', endpoint, reason }),
    handled: ({ type, ...rest }) => emit({ type: 'webhook_handled', eventType: type, ...rest }),
    failed: ({ type, error, ...rest }) =>
      emit({ type: 'webhook_failed', eventType: type, reason: reasonOf(error), ...rest }),
  };
}

/** A name, never a message: that of a handler may hold what the event was about. */
function reasonOf(error: unknown): string {
  if (error instanceof AppError) return error.code;
  return error instanceof Error ? error.name : 'unknown';
}
