import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { until } from '../support/until.js';

const SECRET = 'the secret of the sandbox';
const companyId = 'hTBN7n6lkmkhMb6LYqEBZw';
let received: { type: string; fits: boolean; text: string }[];
let sandbox: Sandbox;
const server = createServer((req, res) => {
  let text = '';
  req.on('data', (chunk: Buffer) => (text += chunk.toString()));
  req.on('end', () => {
    const fits =
      req.headers['x-getbill-signature'] ===
      createHmac('sha256', SECRET).update(text).digest('hex');
    received.push({ type: /"type":"?([\w.]+)/.exec(text)?.[1] ?? '', fits, text });
    res.statusCode = fits ? 200 : 401;
    res.end();
  });
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  sandbox = await startSandbox({ webhook: { url, secret: SECRET, companyId } });
});
afterAll(async () => {
  await sandbox.close();
  server.close();
});
beforeEach(() => (received = []));

async function call(method: string, path: string, body?: object) {
  const { access_token: token } = (await (
    await fetch(`${sandbox.origin}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: 'sandbox-client',
        client_secret: 'sandbox-secret-7c1f0e5ad2b94c36',
        scope: 'debts:read debts:write',
      }),
    })
  ).json()) as { access_token: string };
  const response = await fetch(`${sandbox.origin}/external-api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  return (await response.json()) as { data: { id: string }[] };
}
const press = async (operation: string, body: object = {}) =>
  (await (
    await fetch(`${sandbox.origin}/_sandbox/webhooks/${operation}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  ).json()) as { target: object; deliveries: { style: string; status: number }[] };

describe('the webhooks of the sandbox', () => {
  it('are sent for its own changes, signed over the raw body', async () => {
    const { data } = await call('GET', '/debts?limit=1');
    const id = data[0]?.id ?? '';
    await call('PUT', `/debts/${id}`, { status: 'status.default.paid' });
    await until('both came', () => received.length === 2);
    expect(received.map(({ type, fits }) => [type, fits]).sort()).toEqual([
      ['debt.status_changed', true],
      ['debt.updated', true],
    ]);
    expect(
      received.every(({ text }) => (JSON.parse(text) as { data: { id: string } }).data.id === id),
    ).toBe(true);
  });

  it('are sent for each debt that a batch has created, and for no other of its rows', async () => {
    const debt = { firstname: 'Ada', lastname: 'Byron', amount: 10, currency: 'EUR', email: 'ada@example.com' }; // prettier-ignore
    const debts = [debt, { ...debt, firstname: '' }, { ...debt, lastname: '*' }];
    const { data } = await call('POST', '/debts/batch', {
      debts: [...debts, ...Array.from({ length: 150 }, () => debt)],
    });
    const { created } = data as unknown as { created: { debt_id: string }[] };
    expect(created).toHaveLength(151);
    await until('all came', () => received.length === 151);
    expect(new Set(received.map(({ type, fits }) => `${type} ${fits}`))).toEqual(
      new Set(['debt.created true']),
    );
    const ids = received.map(({ text }) => (JSON.parse(text) as { data: { id: string } }).data.id);
    expect(ids.sort()).toEqual(created.map(({ debt_id: id }) => id).sort());
  });

  it('are not sent for a deletion, for which GetBill documents none', async () => {
    const { data } = await call('GET', '/debts?limit=2');
    const [one, another] = data.map(({ id }) => id);
    await call('DELETE', `/debts/${one}`);
    await call('PUT', `/debts/${another}`, { object: 'what comes after it' });
    await until('the other came', () => received.length > 0);
    expect(received.map(({ type }) => type)).toEqual(['debt.updated']);
  });

  it('are listed on the panel, with the words of their button and what was answered', async () => {
    await press('wrongSignature');
    const page = await (await fetch(sandbox.origin)).text();
    expect(page).toMatch(
      /<code>debt\.updated<\/code><\/td><td>A wrong signature<\/td><td>401<\/td>/,
    );
    expect(page).not.toContain(SECRET);
  });

  it.each([
    ['once', [200]],
    ['duplicate', [200, 200, 200]],
    ['reordered', [200, 200]],
    ['wrongSignature', [401]],
    ['burst', Array<number>(100).fill(200)],
    ['oddBody', Array<number>(7).fill(200)],
  ])('are sent on demand: %s', async (style, statuses) => {
    const { deliveries } = await press(style);
    const newest = deliveries.slice(0, statuses.length);
    expect(newest.map(({ style: how, status }) => [how, status])).toEqual(
      statuses.map((status) => [style, status]),
    );
    expect(received).toHaveLength(statuses.length);
  });

  it('never show the secret', async () => {
    const state = await (await fetch(`${sandbox.origin}/_sandbox/webhooks`)).text();
    expect(state).toContain('/hook');
    expect(state).not.toContain(SECRET);
  });
});
