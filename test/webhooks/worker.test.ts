import { setTimeout as delay } from 'node:timers/promises';
import { UnavailableError } from '../../src/errors.js';
import type { AppEvent } from '../../src/events.js';
import type { WebhookEvent } from '../../src/webhooks/envelope.js';
import { defaultLimits } from '../../src/webhooks/inbox.js';
import { createMemoryInbox } from '../../src/webhooks/memory-inbox.js';
import type { Attempt } from '../../src/webhooks/handle-entry.js';
import { startWorker, type Worker } from '../../src/webhooks/worker.js';
import { until } from '../support/until.js';

const inboxOf = (pauseMs: (tries: number) => number = defaultLimits.pauseMs) =>
  createMemoryInbox({ now: Date.now, limits: { ...defaultLimits, pauseMs } });

const delivery = (id: string) => ({
  identity: id,
  type: 'debt.updated',
  body: JSON.stringify({ type: 'debt.updated', data: { id } }),
});

async function withWorker(
  options: Pick<Parameters<typeof startWorker>[0], 'inbox' | 'handle' | 'keepEveryMs'> &
    Partial<Pick<Parameters<typeof startWorker>[0], 'emit'>>,
  use: (worker: Worker) => Promise<void>,
): Promise<void> {
  const worker = startWorker({
    emit: () => undefined,
    ...options,
    endpoint: '',
    pollMs: 20,
    monotonicMs: () => performance.now(),
  });
  try {
    await use(worker);
  } finally {
    await worker.stop();
  }
}

describe('the worker', () => {
  it('[I11] waits for a handler that takes long, and nobody else gets its event meanwhile', async () => {
    const inbox = inboxOf(() => 400);
    const calls: string[] = [];
    let end: () => void = () => undefined;
    const handle = (_event: WebhookEvent, { entry }: Attempt): Promise<void> => {
      calls.push(entry);
      return new Promise((resolve) => (end = resolve));
    };
    await inbox.accept(delivery('slow'));
    await withWorker({ inbox, handle, keepEveryMs: 15 }, async () => {
      await withWorker({ inbox, handle, keepEveryMs: 15 }, async () => {
        await until('it is begun', () => calls.length === 1);
        await delay(900); // twice the pause after which a process counts as dead
        end();
        await until('it is handled', async () => (await inbox.recent(1))[0]?.state === 'handled');
      });
    });
    expect(calls).toHaveLength(1);
  });

  it('says of a body that it cannot decrypt that this is the reason, which was "Error"', async () => {
    const inbox = inboxOf();
    await inbox.accept(delivery('sealed'));
    const claim = async (): ReturnType<typeof inbox.claim> =>
      (await inbox.claim({ count: 1 })).map((one) => ({ ...one, body: undefined }));
    const events: AppEvent[] = [];
    const handle = (): Promise<void> => Promise.resolve();
    const emit = (event: AppEvent): void => void events.push(event);
    await withWorker({ inbox: { ...inbox, claim }, handle, emit }, async () => {
      await until('it has failed', () => events.length > 0);
    });
    expect(events).toMatchObject([{ type: 'webhook_failed', reason: 'body_unreadable' }]);
  });

  it('has an event that fails handled again until the eighth time, and says why', async () => {
    const inbox = inboxOf(() => 40);
    await inbox.accept(delivery('bad'));
    const claim = async ({ count, newOnly }: { count: number; newOnly?: boolean }) =>
      newOnly ? [] : await inbox.claim({ count });
    const events: AppEvent[] = [];
    const handle = (): Promise<void> =>
      Promise.reject(new UnavailableError('away', { code: 'getbill_unreachable', status: 502 }));
    const emit = (event: AppEvent): void => void events.push(event);
    await withWorker({ inbox: { ...inbox, claim }, handle, emit, keepEveryMs: 15 }, async () => {
      await until('it is given up', async () => (await inbox.recent(1))[0]?.state === 'given_up');
    });
    const reason = 'getbill_unreachable';
    const failures = [1, 2, 3, 4, 5, 6, 7, 8].map((tries) => ({
      tries,
      reason,
      final: tries === 8,
    }));
    expect(events).toMatchObject(failures);
  });

  it('has ended when what it has begun has ended', async () => {
    const inbox = inboxOf();
    await inbox.accept(delivery('slow'));
    let isBegun = false;
    const handle = async (): Promise<void> => {
      isBegun = true;
      await delay(50);
    };
    await withWorker({ inbox, handle }, () => until('it is begun', () => isBegun));
    expect(await inbox.recent(1)).toMatchObject([{ state: 'handled' }]);
  });

  it('goes on, with ten at a time, when all that it has begun ends while it trims, in vain', async () => {
    const inbox = inboxOf();
    const trim = async (): Promise<void> => {
      await delay(50);
      throw new Error('the storage is away');
    };
    const slowlyTrimmed = { ...inbox, trim };
    for (let n = 0; n < 30; n += 1) await inbox.accept(delivery(`d${n}`));
    const handled: unknown[] = [];
    let [underWay, most] = [0, 0];
    const handle = async ({ data }: WebhookEvent): Promise<void> => {
      underWay += 1;
      most = Math.max(most, underWay);
      await delay(1);
      underWay -= 1;
      handled.push(data['id']);
    };
    await withWorker({ inbox: slowlyTrimmed, handle }, async () => {
      await until('all are handled', () => handled.length === 30);
    });
    expect(most).toBe(10);
  });

  it('gives up an event whose process died in every try, without handling it once more', async () => {
    const inbox = inboxOf();
    const handled: number[] = [];
    const handle = (_event: WebhookEvent, { tries }: Attempt): Promise<void> =>
      Promise.resolve(void handled.push(tries));
    await inbox.accept(delivery('deadly'));
    const claim = async () => (await inbox.claim({ count: 1 })).map((each) => ({ ...each, tries: 9 })); // prettier-ignore
    await withWorker({ inbox: { ...inbox, claim }, handle }, async () => {
      await until('it is given up', async () => (await inbox.recent(1))[0]?.state === 'given_up');
    });
    expect(handled).toEqual([]);
  });

  it('handles what comes in while a full Redis does not take that events are given up', async () => {
    const inbox = inboxOf();
    const full = { ...inbox, giveUp: () => Promise.reject(new Error('OOM')) };
    const handled: unknown[] = [];
    const handle = ({ data }: WebhookEvent): Promise<void> => {
      handled.push(data['id']);
      return data['id'] === 'good' ? Promise.resolve() : Promise.reject(new Error('it fails'));
    };
    for (let n = 0; n < 10; n += 1) await inbox.accept(delivery(`bad${n}`));
    const claim = async (options: { count: number }) =>
      (await inbox.claim({ ...options, newOnly: true })).map((each) => ({ ...each, tries: 8 }));
    await withWorker({ inbox: { ...full, claim }, handle }, async (worker) => {
      await until('ten have failed', () => handled.length === 10);
      await inbox.accept(delivery('good'));
      worker.wake();
      await until('the next one is handled', () => handled.includes('good'));
    });
  });
});
