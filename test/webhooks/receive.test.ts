import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import express from 'express';
import { createCipher } from '../../src/core/storage/cipher.js';
import type { Inbox, Outcome } from '../../src/webhooks/inbox.js';
import { signatureOf } from '../../src/webhooks/signature.js';
import { createWebhooks, type WebhooksConfig } from '../../src/webhooks/webhooks.js';
import { until } from '../support/until.js';

const SECRET = 'CANARY-webhook-secret-0123456789';
const OLD_SECRET = 'CANARY-old-webhook-secret-0123456';
const event = { type: 'debt.updated', data: { id: 'd1' } };
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

interface Response {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

type Sent = {
  method?: string;
  path?: string;
  body?: Buffer;
  headers?: Record<string, string | string[]>;
};

type WebhooksOptions = Parameters<typeof createWebhooks>[0];

async function startReceiver(
  config: Partial<WebhooksConfig> = {},
  overrides: {
    accept?: Inbox['accept'];
    handlers?: WebhooksOptions['handlers'];
    bodyTimeoutMs?: number;
  } = {},
) {
  const refused: string[] = [];
  const received: string[] = [];
  const forgotten: string[] = [];
  const webhooks = createWebhooks({
    config: {
      endpoints: [
        { name: '', companyId: 'company-1', secrets: [SECRET, OLD_SECRET] },
        { name: 'second', companyId: 'company-2', secrets: ['the-secret-of-the-second-endpoint'] },
      ],
      idField: 'id',
      timeField: '',
      replicas: 0,
      ...config,
    },
    redis: undefined,
    cipher: createCipher([Buffer.alloc(32, 7)]),
    api: { debt: (id: string) => Promise.resolve({ id, amount: 12 }) } as never,
    onChanges: (companyId) => void forgotten.push(companyId),
    emit: (event) => {
      if (event.type === 'webhook_refused') refused.push(event.reason);
      if (event.type === 'webhook_received') received.push(`${event.endpoint} ${event.outcome}`);
    },
    clock: { now: Date.now, monotonicMs: () => performance.now() },
    pollMs: () => 20,
    bodyTimeoutMs: overrides.bodyTimeoutMs ?? 300,
    ...(overrides.handlers !== undefined && { handlers: overrides.handlers }),
  });
  const { accept } = overrides;
  if (accept) for (const { inbox } of webhooks.endpoints) inbox.accept = accept;
  const app = express();
  app.use(webhooks.router);
  const requestTimeout = 5 * (overrides.bodyTimeoutMs ?? 300); // later than the body, as the app has it
  const server = createServer({ requestTimeout, connectionsCheckingInterval: 50 }, app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;

  const send = ({
    method = 'POST',
    path = '/webhooks/getbill',
    body = json(event),
    headers = {},
  }: Sent = {}) =>
    new Promise<Response>((resolve, reject) => {
      const req = httpRequest(
        { port, path, method, headers: { 'content-type': 'application/json', ...headers } },
        (res) => {
          const chunks: Buffer[] = [];
          res.on('data', (chunk: Buffer) => chunks.push(chunk));
          res.on('end', () =>
            resolve({
              status: res.statusCode ?? 0,
              headers: res.headers,
              text: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      req.on('error', reject);
      req.end(['POST', 'PUT', 'PATCH'].includes(method) ? body : undefined); // Node sends no length with others
    });
  const sign = (body: Buffer, secret = SECRET) => ({
    'x-getbill-signature': signatureOf(body, secret),
  });
  return {
    port,
    refused,
    received,
    forgotten,
    send,
    /** With a good signature. */
    deliver: (body: Buffer, more: Sent = {}) =>
      send({ ...more, body, headers: { ...sign(body), ...more.headers } }),
    sign,
    entries: async (company = 'company-1') =>
      (await webhooks.endpoints
        .find(({ companyId }) => companyId === company)
        ?.inbox.recent(100)) ?? [],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await webhooks.stop();
    },
  };
}

type Receiver = Awaited<ReturnType<typeof startReceiver>>;

async function withReceiver(
  use: (receiver: Receiver) => Promise<void>,
  ...args: Parameters<typeof startReceiver>
) {
  const receiver = await startReceiver(...args);
  try {
    await use(receiver);
  } finally {
    await receiver.close();
  }
}

describe('a webhook', () => {
  it('[I01] is verified over its exact bytes: the same JSON re-spaced, or other bytes of equal text, do not fit', () =>
    withReceiver(async ({ deliver, send, sign, entries }) => {
      const body = json(event);
      expect(await deliver(body)).toMatchObject({ status: 200, text: 'OK' });
      const respaced = Buffer.from(JSON.stringify(event, undefined, 1));
      expect((await send({ body: respaced, headers: sign(body) })).status).toBe(401);
      const broken = (byte: number): Buffer => Buffer.concat([Buffer.from('{"type":"a","data":{"x":"'), Buffer.from([byte]), Buffer.from('"}}')]); // prettier-ignore
      expect((await send({ body: broken(0xff), headers: sign(broken(0xfe)) })).status).toBe(401);
      expect(await entries()).toHaveLength(1);
    }));

  it('[I02] [I12] is refused with one and the same response, whatever is wrong with its signature', () =>
    withReceiver(async ({ send, sign, refused }) => {
      const body = json(event);
      const good = signatureOf(body, SECRET);
      const odd: Record<string, string | string[]>[] = [
        {},
        ...['', 'a', good.slice(1), good + '0', `${good}zz`, `${good}, ${good}`, `sha256=${good}`, good.toUpperCase(), 'z'.repeat(64), '0'.repeat(64), `${good} ${good}`].map((text) => ({ 'x-getbill-signature': text })), // prettier-ignore
        { 'x-getbill-signature': [good, good] },
        sign(body, 'another secret'),
        sign(body, ''),
      ];
      const responses = await Promise.all(odd.map((headers) => send({ body, headers })));
      const seen = responses.map(({ status, text, headers: { date: _date, ...headers } }) => JSON.stringify({ status, text, headers })); // prettier-ignore
      expect(new Set(seen).size).toBe(1);
      expect(responses[0]?.status).toBe(401);
      expect(new Set(refused)).toEqual(
        new Set(['signature_absent', 'signature_malformed', 'signature_different']),
      );
    }));

  it('[I03] has no endpoint without a secret', () =>
    withReceiver(
      async ({ deliver, send }) => {
        expect((await deliver(json(event))).status).toBe(404);
        expect((await send({ method: 'GET' })).status).toBe(404);
      },
      { endpoints: [] },
    ));

  it('[I04] is refused when its own signed time is more than five minutes away, where GetBill sends one', () =>
    withReceiver(
      async ({ deliver }) => {
        const nowS = Math.floor(Date.now() / 1000);
        const statusAt = async (time: unknown): Promise<number> =>
          (await deliver(json({ ...event, time }))).status;
        for (const good of [nowS - 290, nowS + 290, nowS + 0.25, new Date().toISOString(), new Date().toISOString().replace('Z', '+0000')]) expect([good, await statusAt(good)]).toEqual([good, 200]); // prettier-ignore
        for (const bad of [
          nowS - 310,
          nowS + 310,
          `${nowS}abc`,
          '1e9',
          '',
          Date.now(),
          null,
          1.5,
          [nowS],
          new Date().toISOString().replace('Z', ''),
        ]) {
          // prettier-ignore
          expect([bad, await statusAt(bad)]).toEqual([bad, 400]);
        }
        expect((await deliver(json(event))).status).toBe(400);
      },
      { timeField: 'time' },
    ));

  it('[I05] that comes ten times at once, or with the same id in another body, is one entry', () =>
    withReceiver(async ({ deliver, entries }) => {
      const body = json({ ...event, id: 'evt_1' });
      const responses = await Promise.all(Array.from({ length: 10 }, () => deliver(body)));
      expect(new Set(responses.map(({ status, text }) => `${status} ${text}`))).toEqual(
        new Set(['200 OK']),
      );
      expect((await deliver(json({ id: 'evt_1', ...event, again: true }))).status).toBe(200);
      expect(await entries()).toHaveLength(1);
      await deliver(json({ ...event, id: 'evt_2' }));
      await deliver(json({ type: 'debt.updated', data: { id: 'd1', amount: 1 } })); // no id: the body tells them apart
      await deliver(json({ type: 'debt.updated', data: { id: 'd1', amount: 2 } }));
      expect(await entries()).toHaveLength(4);
    }));

  it.each<[string, object, object, number]>([
    ['a number', { id: 7 }, { id: 7 }, 1],
    ['another number', { id: 7 }, { id: 8 }, 2],
    ['the same for another type', { id: '7' }, { id: '7', type: 'debt.created' }, 2],
    ['empty, so none', { id: '' }, { id: '' }, 2],
    ['too long, so none', { id: 'i'.repeat(257) }, { id: 'i'.repeat(257) }, 2],
    ['an object, so none', { id: {} }, { id: {} }, 2],
  ])('[I05] with an id that is %s', (_what, one, other, count) =>
    withReceiver(async ({ deliver, entries }) => {
      await deliver(json({ ...event, ...one }));
      await deliver(json({ again: true, ...event, ...other }));
      expect(await entries()).toHaveLength(count);
    }),
  );

  it('[I05] is not told apart by a header, which nobody signs', () =>
    withReceiver(async ({ deliver, entries }) => {
      await deliver(json(event), { headers: { 'x-getbill-delivery': '1', 'webhook-id': '1' } });
      await deliver(json(event), { headers: { 'x-getbill-delivery': '2', 'webhook-id': '2' } });
      expect(await entries()).toHaveLength(1);
    }));

  it('[I06] may be signed with any secret of the list, and with no other', () =>
    withReceiver(async ({ send, sign }) => {
      const body = json(event);
      expect((await send({ body, headers: sign(body, OLD_SECRET) })).status).toBe(200);
      expect(
        (await send({ body, headers: sign(body, 'the-secret-of-the-second-endpoint') })).status,
      ).toBe(401);
    }));

  it('[I08] is a POST of JSON and nothing else', () =>
    withReceiver(async ({ send, deliver }) => {
      for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
        expect([method, await send({ method })]).toMatchObject([
          method,
          { status: 405, headers: { allow: 'POST' } },
        ]);
      }
      const body = json(event);
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data',
        'application/jsonp',
      ]) {
        expect([type, (await deliver(body, { headers: { 'content-type': type } })).status]).toEqual(
          [type, 415],
        );
      }
      for (const encoding of ['gzip', 'deflate', 'br', 'identity, gzip']) {
        const headers = { 'content-encoding': encoding };
        expect([encoding, (await deliver(gzipSync(body), { headers })).status]).toEqual([
          encoding,
          415,
        ]);
      }
      expect(
        (
          await deliver(body, {
            headers: {
              'content-type': 'application/json; charset=utf-8',
              'content-encoding': 'identity',
            },
          })
        ).status,
      ).toBe(200);
    }));

  it('[I09] is at most 256 KB, with or without a length', () =>
    withReceiver(async ({ deliver }) => {
      const padded = (bytes: number): Buffer => {
        const text = JSON.stringify({ ...event, pad: '' });
        return Buffer.from(text.replace('"pad":""', `"pad":"${'x'.repeat(bytes - text.length)}"`));
      };
      expect((await deliver(padded(256 * 1024))).status).toBe(200);
      expect((await deliver(padded(256 * 1024 + 1))).status).toBe(413);
      expect(
        (await deliver(padded(300 * 1024), { headers: { 'transfer-encoding': 'chunked' } })).status,
      ).toBe(413);
    }));

  it('[I10] that is signed nonsense is refused, and an unknown type is kept like any other', () =>
    withReceiver(async ({ deliver, entries }) => {
      const nonsense = [
        'null', '[]', '"x"', '7', 'true', '', '{', '{}', '[[[[[[', '{"type":1,"data":{}}', '{"type":"a","data":null}',
        '{"type":"a","data":[]}', '{"type":["a"],"data":{}}', '{"type":"","data":{}}', '{"__proto__":{"type":"a","data":{}}}',
        `{"type":"${'a'.repeat(65)}","data":{}}`, '{"type":"A B","data":{}}', '{"type":"a\\u0000","data":{}}', '{"type":"a\\n","data":{}}', '{"type":"<b>","data":{}}', '{"type":"é","data":{}}', '['.repeat(50_000),
      ]; // prettier-ignore
      for (const text of nonsense) expect([text.slice(0, 40), (await deliver(Buffer.from(text))).status]).toEqual([text.slice(0, 40), 400]); // prettier-ignore
      expect(
        (await deliver(Buffer.from('{"type":"a","data":{"x":"\xff"}}', 'latin1'))).status,
      ).toBe(400);
      expect(await entries()).toEqual([]);
      const types = ['something.new', 'constructor', '__proto__', 'debt.status-changed', 'Debt.Deleted', 'urn:a:1', '7', '.', 'a'.repeat(64)]; // prettier-ignore
      for (const type of types) expect([type, (await deliver(json({ type, data: { id: 'd1' } }))).status]).toEqual([type, 200]); // prettier-ignore
      await until('all are handled', async () =>
        (await entries()).every(({ state }) => state === 'handled'),
      );
      expect((await entries()).map(({ type }) => type).sort()).toEqual(types.sort());
    }));

  it('[I11] that cannot be stored is refused with 503, so that GetBill sends it again', async () => {
    const away = (): Promise<Outcome> => Promise.reject(new Error('the storage is away'));
    const full = (): Promise<Outcome> => Promise.resolve('full');
    const use = async ({ deliver, refused, received }: Receiver): Promise<void> => {
      const response = await deliver(json(event));
      expect(response.status).toBe(503);
      expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
      expect([refused, received]).toEqual([['not_stored'], []]);
    };
    for (const accept of [away, full]) await withReceiver(use, {}, { accept });
  });

  it('[I11] is acknowledged before its handler has begun, however long that takes', async () => {
    let end: (() => void) | undefined;
    const effects: string[] = [];
    const handler = async (): Promise<void> => {
      await new Promise<void>((resolve) => (end = resolve)); // 30 s, say
      effects.push('done');
    };
    const use = async ({ deliver, entries }: Receiver): Promise<void> => {
      expect(await deliver(json(event))).toMatchObject({ status: 200, text: 'OK' });
      expect(await deliver(json(event))).toMatchObject({ status: 200, text: 'OK' });
      expect(effects).toEqual([]);
      expect(await entries()).toMatchObject([{ state: 'waiting' }]);
      await until('it is begun', () => end !== undefined);
      end?.();
      await until('it is handled', async () => (await entries())[0]?.state === 'handled');
      expect(effects).toEqual(['done']);
    };
    await withReceiver(use, {}, { handlers: { 'debt.updated': handler } });
  });

  it('is a hint: its handler reads the debt through the API', async () => {
    const read: unknown[] = [];
    const use = async ({ deliver }: Receiver): Promise<void> => {
      await deliver(json({ type: 'debt.updated', data: { id: 'd1', amount: 999 } }));
      await until('it is handled', () => read.length > 0);
      expect(read).toEqual([{ id: 'd1', amount: 12 }]);
    };
    const handler: NonNullable<WebhooksOptions['handlers']>[string] = async ({ data }, { api }) =>
      void read.push(await api.debt(String(data['id'])));
    await withReceiver(use, {}, { handlers: { 'debt.updated': handler } });
  });

  it('[I12] drops what is cached of the company whose secret signed it, whatever company the body names', () =>
    withReceiver(async ({ deliver, forgotten, received, sign }) => {
      await deliver(json({ ...event, data: { company_id: 'company-2' }, company_id: 'company-2' }));
      await until('it is handled', () => forgotten.length > 0);
      expect(forgotten).toEqual(['company-1']);
      const body = json(event);
      const path = '/webhooks/getbill/second';
      expect(
        (await deliver(body, { path, headers: sign(body, 'the-secret-of-the-second-endpoint') }))
          .status,
      ).toBe(200);
      await until('it is handled', () => forgotten.length > 1);
      expect(forgotten[1]).toBe('company-2');
      expect(received).toEqual([' new', 'second new']);
      expect((await deliver(body, { path: '/webhooks/getbill/third' })).status).toBe(404);
    }));

  it.each([
    ['too long a body that never ends', 'Content-Length: 300000', 413],
    ['a body that never ends', 'Content-Length: 300', 408],
    ['a chunked body that never ends', 'Transfer-Encoding: chunked', 408],
  ])('[I09] with %s is given up, and its connection closed', (_what, header, status) =>
    withReceiver(async ({ port }) => {
      const socket = connect(port, '127.0.0.1');
      socket.write(
        `POST /webhooks/getbill HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${header}\r\n\r\n1\r\n{`,
      );
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      await until('it is closed', () => socket.closed);
      expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    }),
  );

  it.each([
    ['too large', 'Content-Type: application/json', 413],
    ['of another media type', 'Content-Type: text/plain', 415],
  ])(
    '[I09] that is %s may be sent to its end after its refusal: a proxy that meets a closed connection says 502',
    (_what, header, status) =>
      withReceiver(async ({ port }) => {
        const socket = connect(port, '127.0.0.1');
        let text = '';
        let failed: Error | undefined;
        socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
        socket.on('error', (error) => (failed = error));
        const head = `POST /webhooks/getbill HTTP/1.1\r\nHost: a\r\n${header}\r\n`;
        socket.write(`${head}Content-Length: 600000\r\n\r\n${'x'.repeat(300_000)}`);
        await until('it is refused', () => text.startsWith(`HTTP/1.1 ${status} `));
        text = '';
        const next =
          'POST /webhooks/getbill/absent HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n';
        socket.write('x'.repeat(300_000) + next);
        await until('the next is answered', () => text.includes('HTTP/1.1 404 ') || socket.closed);
        expect({ failed, closed: socket.closed }).toEqual({ failed: undefined, closed: false });
        socket.destroy();
      }),
  );

  const large = json({ ...event, data: { text: 'x'.repeat(20_000) } });

  it.each(['Content-Length: 200000', 'Transfer-Encoding: chunked'])(
    'of which 64 have large bodies that do not end (%s), another large one is refused and to come again, and small ones go on',
    async (header) => {
      const use = async ({ port, deliver }: Receiver): Promise<void> => {
        const sockets = Array.from({ length: 64 }, () => connect(port, '127.0.0.1'));
        for (const socket of sockets)
          socket.write(
            `POST /webhooks/getbill HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${header}\r\n\r\n1\r\n{`,
          );
        await until('one is refused', async () => (await deliver(large)).status === 503);
        expect((await deliver(large)).headers['retry-after']).toBe('30');
        expect((await deliver(json(event))).status).toBe(200);
        for (const socket of sockets) socket.destroy();
        await until('one is taken', async () => (await deliver(large)).status === 200);
      };
      await withReceiver(use, {}, { bodyTimeoutMs: 60_000 });
    },
  );

  it('keeps its place, when it is large, until it is stored', async () => {
    const stored: ((outcome: Outcome) => void)[] = [];
    const accept = (): Promise<Outcome> =>
      stored.length === 64
        ? Promise.resolve('new')
        : new Promise((resolve) => void stored.push(resolve));
    const use = async ({ deliver }: Receiver): Promise<void> => {
      const taken = Array.from({ length: 64 }, () => deliver(large));
      await until('all are being stored', () => stored.length === 64);
      expect((await deliver(large)).status).toBe(503);
      for (const done of stored) done('new');
      expect(new Set((await Promise.all(taken)).map(({ status }) => status))).toEqual(
        new Set([200]),
      );
    };
    await withReceiver(use, {}, { accept });
  });
});
