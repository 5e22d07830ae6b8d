import { randomUUID } from 'node:crypto';
import { Router } from 'express';
import type { Cluster, Redis } from 'ioredis';
import type { Cipher } from '../core/storage/cipher.js';
import type { Emit } from '../events.js';
import type { AppClient } from '../getbill/app-client.js';
import { createMemoryChanges, createRedisChanges, type Change, type Changes } from './changes.js';
import { subjectOf, type WebhookEvent } from './envelope.js';
import { follow } from './follow.js';
import { handlers as ourHandlers, type HandlerContext } from './handlers.js';
import { defaultLimits, type InboxLimits } from './inbox.js';
import { createMemoryInbox } from './memory-inbox.js';
import type { Endpoint } from './endpoint.js';
import { receiveWebhook } from './receive.js';
import { createRedisInbox } from './redis-inbox.js';
import { startWorker } from './worker.js';

const POLL_MS = 1_000;

export interface WebhooksConfig {
  readonly endpoints: readonly { name: string; companyId: string; secrets: readonly string[] }[];
  /** Where GetBill puts the id and the time of an event (it documents neither); empty: nowhere. */
  readonly idField: string;
  readonly timeField: string;
  /** Replicas of Redis that must have an event before it is acknowledged. */
  readonly replicas: number;
}

export interface OpenEndpoint extends Endpoint {
  readonly changes: Changes;
}

export interface Webhooks {
  /** `/webhooks/getbill`, to be mounted before sessions, CSRF and cookies. */
  readonly router: Router;
  /** In the order of the settings. */
  readonly endpoints: readonly OpenEndpoint[];
  /** Takes nothing new to handle, and resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/** Receives, keeps and handles. Without `redis` the storage is the memory of this process. */
export function createWebhooks({
  config,
  redis,
  connected = Promise.resolve(),
  cipher,
  api,
  onChanges,
  emit,
  clock,
  handlers = ourHandlers,
  limits = defaultLimits,
  pollMs = () => POLL_MS,
  bodyTimeoutMs = 10_000, // GetBill waits no longer for a response
}: {
  config: WebhooksConfig;
  redis: Redis | Cluster | undefined;
  /** Commands wait for it. */
  connected?: Promise<void> | undefined;
  cipher: Cipher;
  /** For the handlers. */
  api: AppClient;
  /** Called in every process after an event was handled in any of them. */
  onChanges: (companyId: string, changes: readonly Change[]) => void;
  emit: Emit;
  clock: { now: () => number; monotonicMs: () => number };
  handlers?: Readonly<
    Record<string, (event: WebhookEvent, context: HandlerContext) => Promise<void>>
  >;
  limits?: InboxLimits;
  pollMs?: () => number;
  bodyTimeoutMs?: number;
}): Webhooks {
  const { now, monotonicMs } = clock;
  const options = { consumer: randomUUID(), limits, replicas: config.replicas };
  const opened = config.endpoints.map((endpoint) => openEndpoint(endpoint));
  const endpoints = opened.map(({ endpoint }) => endpoint);

  function openEndpoint({ name, companyId, secrets }: WebhooksConfig['endpoints'][number]) {
    const inbox =
      redis === undefined
        ? createMemoryInbox({ now, limits })
        : createRedisInbox({ redis, connected, cipher, emit, endpoint: name, ...options });
    const changes =
      redis === undefined
        ? createMemoryChanges({ now })
        : createRedisChanges({ redis, endpoint: name, now, connected, emit });
    const follower = follow({ changes, onChanges: (list) => onChanges(companyId, list), pollMs });
    const announce = async (event: WebhookEvent): Promise<void> => {
      await changes.publish({ type: event.type, subject: subjectOf(event) });
      follower.wake();
    };
    const worker = startWorker({
      endpoint: name,
      inbox,
      handle: async (event, attempt) => {
        const handler = Object.hasOwn(handlers, event.type) ? handlers[event.type] : undefined;
        await handler?.(event, { companyId, api, announce, ...attempt });
      },
      emit,
      pollMs: POLL_MS,
      monotonicMs,
    });
    const wake = (): void => worker.wake();
    const endpoint: OpenEndpoint = { name, companyId, secrets, inbox, changes, wake };
    return { endpoint, worker, follower };
  }

  const receive = receiveWebhook(config, {
    endpoints: new Map(endpoints.map((endpoint) => [endpoint.name, endpoint])),
    now,
    emit,
    bodyTimeoutMs,
  });
  const router = Router({ caseSensitive: true, strict: true });
  router.all('/webhooks/getbill', receive);
  router.all('/webhooks/getbill/:endpoint', receive);

  return {
    router,
    endpoints,
    async stop() {
      for (const { follower } of opened) follower.stop();
      await Promise.all(opened.map(({ worker }) => worker.stop()));
    },
  };
}
