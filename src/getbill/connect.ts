import { hash } from 'node:crypto';
import type { Config } from '../config/config.js';
import type { KeyValue } from '../core/storage/key-value.js';
import { createMemoryKeyValue } from '../core/storage/memory.js';
import type { Emit } from '../events.js';
import { createSharedLimits } from '../limits/shared-limits.js';
import { createCallSlots } from './call-slots.js';
import { createForward } from './forward.js';
import { createGrantFacts } from './grant-facts.js';
import { createQuota } from './quota.js';
import { createQuotaGate } from './quota-gate.js';
import { createShares } from './shares.js';
import { API_CONNECTIONS, createUpstream } from './upstream.js';

/** The way to GetBill assembled: connections, and the limits on what goes over them. */
export function connectGetbill(
  { getbill: config, session }: Pick<Config, 'getbill' | 'session'>,
  {
    keyValue,
    emit,
    now,
    monotonicMs,
  }: { keyValue: KeyValue; emit: Emit; now: () => number; monotonicMs: () => number },
) {
  const clientHash = hash('sha256', config.clientId, 'base64url').slice(0, 8);
  const upstream = createUpstream({ config, emit });
  const quota = createQuota({ keyValue, clientHash, emit, now });
  const facts = createGrantFacts({ keyValue, keptMs: session.maxMs, emit, now });
  const limits = createSharedLimits({ keyValue, clientHash, emit, now });
  const inMemory = createMemoryKeyValue({ now });
  const localLimits = createSharedLimits({ keyValue: inMemory, clientHash, emit, now });
  const slots = createCallSlots({
    total: API_CONNECTIONS,
    perSession: API_CONNECTIONS / 4,
    perOwner: (API_CONNECTIONS / 4) * 3,
    waitingPerSession: API_CONNECTIONS,
    maxWaitMs: config.timeoutMs / 2,
    emit,
  });
  const forward = createQuotaGate({
    forward: createForward({ config, upstream, quota, slots, emit, monotonicMs }),
    quota,
    shares: createShares({ quota, limits, localLimits }),
    facts,
    emit,
    now,
  });
  return { upstream, limits, localLimits, quota, facts, forward };
}
