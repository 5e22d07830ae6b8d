import { randomUUID } from 'node:crypto';
import { Router } from 'express';
import type { Cluster, Redis } from 'ioredis';
import type { Cipher } from '../core/storage/cipher.js';
import type { KeyValue } from '../core/storage/key-value.js';
import { handlers } from './handlers.js';
import { defaultLimits, type Inbox, type InboxLimits } from './inbox.js';
import { createMemoryInbox } from './memory-inbox.js';
import { receiveWebhook, type Endpoint, type ReceiveReport } from './receive.js';
import { createRedisInbox } from './redis-inbox.js';
import { startWorker, type WorkerReport } from './worker.js';

export interface WebhooksConfig {
  readonly endpoints: readonly { name: string; companyId: string; secrets: readonly string[] }[];
  /** Where GetBill puts the id and the time of an event, which its documents do not say; empty: nowhere. */
  readonly idField: string;
  readonly timeField: string;
  /** Replicas of Redis that must have an event before it is acknowledged. */
  readonly replicas: number;
}

export interface Webhooks {
  /** `/webhooks/getbill`, to be mounted before sessions, CSRF and cookies. */
  readonly router: Router;
  /** The events of a company, oldest endpoint first; empty for a company that no endpoint names. */
  inboxesOf(companyId: string): readonly Inbox[];
  /** Takes nothing new to handle, and resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/** Receives, keeps and handles; `redis` is undefined where the storage is the memory of this process. */
export function createWebhooks({
  config,
  redis,
  prefix,
  keyValue,
  cipher,
  forgetCompany,
  report,
  clock,
  limits = defaultLimits,
  pollMs = 1_000,
  bodyTimeoutMs = 10_000, // GetBill waits no longer for a response
}: {
  config: WebhooksConfig;
  redis: Redis | Cluster | undefined;
  prefix: string;
  keyValue: KeyValue;
  cipher: Cipher;
  forgetCompany: (companyId: string) => Promise<void>;
  report: ReceiveReport & WorkerReport;
  clock: { now: () => number; monotonicMs: () => number };
  limits?: InboxLimits;
  pollMs?: number;
  bodyTimeoutMs?: number;
}): Webhooks {
  const consumer = randomUUID();
  const inboxOf = (endpoint: string): Inbox =>
    redis === undefined
      ? createMemoryInbox({ now: clock.now, limits })
      : createRedisInbox({ redis, keyValue, cipher, endpoint, prefix, consumer, limits, replicas: config.replicas });

  const endpoints = new Map<string, Endpoint>();
  for (const { name, companyId, secrets } of config.endpoints) {
    endpoints.set(name, { name, companyId, secrets, inbox: inboxOf(name) });
  }
  const workers = new Map(
    [...endpoints.values()].map(({ name, companyId, inbox }) => {
      const context = { companyId, forgetCompany };
      const handle = async (event: Parameters<NonNullable<(typeof handlers)[string]>>[0]): Promise<void> => {
        const handler = Object.hasOwn(handlers, event.type) ? handlers[event.type] : undefined;
        await handler?.(event, context);
      };
      return [name, startWorker({ inbox, handle, report, pollMs, monotonicMs: clock.monotonicMs })];
    }),
  );

  const router = Router({ caseSensitive: true, strict: true });
  const { idField, timeField } = config;
  const wake = (name: string): void => workers.get(name)?.wake();
  const receive = receiveWebhook({ endpoints, idField, timeField, now: clock.now, report, wake, bodyTimeoutMs });
  router.all(['/webhooks/getbill', '/webhooks/getbill/:endpoint'], ...receive);

  return {
    router,
    inboxesOf: (companyId) =>
      [...endpoints.values()].filter((endpoint) => endpoint.companyId === companyId).map(({ inbox }) => inbox),
    async stop() {
      await Promise.all([...workers.values()].map((worker) => worker.stop()));
    },
  };
}
