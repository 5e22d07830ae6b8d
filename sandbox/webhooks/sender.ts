import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const MAX_DELIVERIES = 200;
/** GetBill waits no longer. */
const DEADLINE_MS = 10_000;
const BURST = 100;

/** Where webhooks go, as GetBill's dashboard would keep it. */
export interface WebhookTarget {
  url: string;
  secret: string;
  companyId: string;
}

export interface Delivery {
  number: number;
  at: string;
  type: string;
  style: string;
  /** 0 when there was no response. */
  status: number;
  durationMs: number;
}

/** What can be tried; every style is one press of a button. */
export const styles = [
  'once',
  'duplicate',
  'reordered',
  'wrongSignature',
  'late',
  'burst',
  'oddBody',
] as const;
export type Style = (typeof styles)[number];

export interface WebhookSender {
  setTarget(target: WebhookTarget | undefined): void;
  target(): Omit<WebhookTarget, 'secret'> | undefined;
  /** For a change at GetBill: sent in the background, and only for the company of the target. */
  changed(companyId: string, type: string, data: object): void;
  /** On demand. Resolves when every response has come. @throws {Error} no target is set. */
  send(style: Style, type: string, data: object): Promise<Delivery[]>;
  /** The newest first. */
  deliveries(): Delivery[];
}

/**
 * Signs and sends webhooks as GetBill documents them; one try each, since its retries are not
 * documented.
 */
export function createWebhookSender({
  now,
  lateMs = 3_000,
}: {
  now: () => number;
  lateMs?: number;
}): WebhookSender {
  let target: WebhookTarget | undefined;
  const deliveries: Delivery[] = [];
  const waiting: { companyId: string; type: string; body: Buffer }[] = [];
  let underWay = 0;
  let number = 0;

  async function deliver(
    type: string,
    body: Buffer,
    { style, signature }: { style: Style; signature?: string },
  ): Promise<Delivery> {
    if (target === undefined)
      throw new Error(
        'no webhook is registered: PUT /_sandbox/webhooks with url, secret and companyId',
      );
    const { url, secret } = target;
    const startedMs = performance.now();
    const status = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-getbill-signature': signature ?? createHmac('sha256', secret).update(body).digest('hex'),
      },
      body: new Uint8Array(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
      .then(async (response) => {
        await response.arrayBuffer();
        return response.status;
      })
      .catch(() => 0);
    const durationMs = Math.round(performance.now() - startedMs);
    const delivery = {
      number: ++number,
      at: new Date(now()).toISOString(),
      type,
      style,
      status,
      durationMs,
    };
    deliveries.unshift(delivery);
    deliveries.length = Math.min(deliveries.length, MAX_DELIVERIES);
    return delivery;
  }

  /** No more at once than on demand: a batch of debts is a thousand changes. */
  async function sendWaiting(): Promise<void> {
    if (underWay >= BURST) return;
    underWay += 1;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (target?.companyId === next.companyId)
        await deliver(next.type, next.body, { style: 'once' });
    }
    underWay -= 1;
  }

  const bodyOf = (type: string, data: object): Buffer =>
    Buffer.from(JSON.stringify({ type, data }));
  /** Bodies are told apart by their bytes, because no id is documented. */
  const another = (type: string, data: object): Buffer =>
    bodyOf(type, { ...data, sandbox: randomBytes(6).toString('hex') });

  const send: Record<Style, (type: string, data: object) => Promise<Delivery[]>> = {
    once: async (type, data) => [await deliver(type, another(type, data), { style: 'once' })],
    async duplicate(type, data) {
      const body = another(type, data);
      return await Promise.all([1, 2, 3].map(() => deliver(type, body, { style: 'duplicate' })));
    },
    async reordered(type, data) {
      const [first, second] = [another(type, data), another(type, data)];
      return [
        await deliver(type, second, { style: 'reordered' }),
        await deliver(type, first, { style: 'reordered' }),
      ];
    },
    wrongSignature: async (type, data) => [
      await deliver(type, another(type, data), {
        style: 'wrongSignature',
        signature: '0'.repeat(64),
      }),
    ],
    async late(type, data) {
      const body = another(type, data);
      await sleep(lateMs);
      return [await deliver(type, body, { style: 'late' })];
    },
    burst: (type, data) =>
      Promise.all(
        Array.from({ length: BURST }, () => deliver(type, another(type, data), { style: 'burst' })),
      ),
    async oddBody(type) {
      const odd = [
        'null',
        '[]',
        '"text"',
        '{',
        '{"type":7,"data":{}}',
        '{"type":"debt.updated","data":null}',
        '{"type":"something.new","data":{}}',
      ];
      return await Promise.all(
        odd.map((text) => deliver(type, Buffer.from(text), { style: 'oddBody' })),
      );
    },
  };

  return {
    setTarget: (next) => void (target = next),
    target: () => target && { url: target.url, companyId: target.companyId },
    changed(companyId, type, data) {
      if (target?.companyId !== companyId) return;
      waiting.push({ companyId, type, body: bodyOf(type, data) });
      void sendWaiting();
    },
    send: (style, type, data) => send[style](type, data),
    deliveries: () => [...deliveries],
  };
}
