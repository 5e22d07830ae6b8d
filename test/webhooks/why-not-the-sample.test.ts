import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createCipher } from '../../src/core/storage/cipher.js';
import { signatureOf } from '../../src/webhooks/signature.js';
import { createWebhooks } from '../../src/webhooks/webhooks.js';
import express from 'express';
import { until } from '../support/until.js';
import { createSampleReceiver } from './support/sample-receiver.js';

const SECRET = 'the-webhook-secret-of-this-test';
const event = '{"type":"debt.updated","data":{"id":"d1"}}';
const good = signatureOf(Buffer.from(event), SECRET);
const acted: string[] = [];
let actMs = 0;
async function act(type: string): Promise<void> {
  await delay(actMs);
  acted.push(type);
}
const ours = createWebhooks({
  config: {
    endpoints: [{ name: '', companyId: 'c', secrets: [SECRET] }],
    idField: '',
    timeField: '',
    replicas: 0,
  },
  redis: undefined,
  cipher: createCipher([Buffer.alloc(32, 7)]),
  api: {} as never,
  handlers: { 'debt.updated': (one) => act(one.type) },
  onChanges: () => undefined,
  emit: () => undefined,
  clock: { now: Date.now, monotonicMs: () => performance.now() },
});
const servers = {
  sample: createServer(createSampleReceiver(SECRET, act)),
  ours: createServer(express().use(ours.router)),
};
const listen = (server: Server) =>
  new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
beforeAll(async () => void (await Promise.all(Object.values(servers).map(listen))));
afterAll(async () => {
  for (const server of Object.values(servers)) {
    server.closeAllConnections();
    server.close();
  }
  await ours.stop();
});
beforeEach(() => {
  acted.length = 0;
  actMs = 0;
});

async function send(
  to: keyof typeof servers,
  body: string,
  signature: string | undefined,
  type = 'application/json',
) {
  const { port } = servers[to].address() as AddressInfo;
  const response = await fetch(
    `http://127.0.0.1:${port}${to === 'ours' ? '/webhooks/getbill' : '/webhook'}`,
    {
      method: 'POST',
      headers: {
        'content-type': type,
        ...(signature !== undefined && { 'x-getbill-signature': signature }),
      },
      body,
    },
  );
  return response.status;
}
const signed = (body: string): string => signatureOf(Buffer.from(body), SECRET);

it('a signature of another length is a 500 in the sample, which GetBill would send again, and 401 here', async () => {
  for (const odd of [undefined, 'abc', good.slice(2), 'zz'.repeat(32)]) {
    expect([odd, await send('sample', event, odd)]).toEqual([odd, 500]);
    expect([odd, await send('ours', event, odd)]).toEqual([odd, 401]);
  }
});

it('a signature with garbage behind it is taken by the sample, and refused here', async () => {
  expect(await send('sample', event, `${good}zz`)).toBe(200);
  expect(await send('ours', event, `${good}zz`)).toBe(401);
});

it('a body of another media type is a 500 in the sample, and 415 here', async () => {
  expect(await send('sample', event, good, 'text/plain')).toBe(500);
  expect(await send('ours', event, good, 'text/plain')).toBe(415);
});

it('signed nonsense is a 500 in the sample, and 400 here', async () => {
  for (const text of ['null', 'nonsense']) {
    expect([text, await send('sample', text, signed(text))]).toEqual([text, 500]);
    expect([text, await send('ours', text, signed(text))]).toEqual([text, 400]);
  }
});

it('a replay is acted upon twice by the sample, and once here', async () => {
  for (let n = 0; n < 2; n += 1) expect(await send('sample', event, good)).toBe(200);
  expect(acted).toHaveLength(2);
  acted.length = 0;
  for (let n = 0; n < 2; n += 1) expect(await send('ours', event, good)).toBe(200);
  await until('it is handled', () => acted.length > 0);
  expect(acted).toHaveLength(1);
});

it('a slow handler keeps GetBill waiting in the sample, and not here', async () => {
  actMs = 300;
  const slow = '{"type":"debt.updated","data":{"id":"slow"}}';
  expect(await send('sample', slow, signed(slow))).toBe(200);
  expect(acted).toHaveLength(1); // before the response
  expect(await send('ours', slow, signed(slow))).toBe(200);
  expect(acted).toHaveLength(1); // after it
  await until('it is handled', () => acted.length === 2);
});
