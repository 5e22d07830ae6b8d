import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiFault } from '../../sandbox/faults.js';
import { newReport, type Entry } from '../../src/cli/batch/report.js';
import { sendBatches } from '../../src/cli/batch/send-batches.js';
import { InvalidInputError, OutcomeUnknownError, UnavailableError } from '../../src/errors.js';
import type { AppClient } from '../../src/getbill/app-client.js';
import { withKnownOutcome } from '../../src/getbill/write-outcome.js';
import { freePort } from '../support/free-port.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
let client: AppClient;
beforeEach(async () => {
  app = await startTestApp();
  client = app.services.appClient;
});
afterEach(() => app.close());

const debt = {
  firstname: 'Ada',
  lastname: 'Lovelace',
  amount: 12.5,
  currency: 'EUR',
  email: 'ada@example.com',
};
const sent = (): number =>
  app.sandbox.control
    .requests()
    .filter(({ method, url }) => method !== 'GET' && url.includes('/external-api/')).length;
const plant = (...api: ApiFault[]): void => app.sandbox.control.set({ api });

describe('a write of the typed client', () => {
  it('creates, changes and deletes a debt', async () => {
    const { id } = await client.createDebt(debt);
    expect(await client.updateDebt(id, { amount: 20 })).toMatchObject({ id, amount: 20 });
    await client.deleteDebt(id);
    await expect(client.debt(id)).rejects.toMatchObject({ code: 'not_found' });
    expect(sent()).toBe(3);
  });

  it('changes a debtor and a creditor, and creates and changes a follow-up', async () => {
    const [debtor] = (await client.debtors()).items;
    const [creditor] = (await client.creditors()).items;
    const [owed] = (await client.debts()).items;
    expect(await client.updateDebtor(debtor?.id ?? '', { firstName: 'Ada' })).toMatchObject({ firstName: 'Ada' }); // prettier-ignore
    expect(await client.updateCreditor(creditor?.id ?? '', { city: 'Lyon' })).toMatchObject({ city: 'Lyon' }); // prettier-ignore
    expect(await client.debtor(debtor?.id ?? '')).toMatchObject({ id: debtor?.id, firstName: 'Ada' }); // prettier-ignore
    expect(await client.creditor(creditor?.id ?? '')).toMatchObject({ id: creditor?.id, city: 'Lyon' }); // prettier-ignore
    const { id } = await client.createFollowup({ debt_id: owed?.id ?? '', type: 'call' });
    expect(await client.updateFollowup(id, { status: 'scheduled' })).toMatchObject({ id, status: 'scheduled' }); // prettier-ignore
  });

  it('of a batch says of each row what became of it', async () => {
    const result = await client.createDebts({
      debts: [
        { ...debt, temp_id: 'good' },
        { ...debt, temp_id: 'expensive', phone: '+212612345678' },
        { ...debt, temp_id: 'template', firstname: '*' },
      ],
    });
    expect(result).toMatchObject({
      created: [{ temp_id: 'good', status: 'valid' }],
      failed: [{ temp_id: 'expensive' }],
      skipped: [{ temp_id: 'template' }],
    });
  });

  it('that breaks a documented rule is not sent, and names the field', async () => {
    const wrong = client.createDebt({ ...debt, amount: -1 });
    await expect(wrong).rejects.toThrow(InvalidInputError);
    await expect(wrong).rejects.toMatchObject({ fields: { amount: ['must be greater than 0'] } });
    expect(sent()).toBe(0);
  });

  it.each<[string, ApiFault]>([
    ['cut off', { mode: 'cut', afterBytes: 20, method: 'POST' }],
    ['dropped', { mode: 'drop', method: 'POST' }],
    ['answered with a 503', { mode: 'status', status: 503, method: 'POST' }],
    ['answered with a page', { mode: 'html', method: 'POST' }],
    ['answered with a 200 that holds nothing', { mode: 'status', status: 200, body: { error: false }, method: 'POST' }],
  ])('that is %s is sent once, and its outcome is unknown', async (_how, fault) => {
    plant(fault);
    await expect(client.createDebt(debt)).rejects.toThrow(OutcomeUnknownError);
    expect(sent()).toBe(1);
  }); // prettier-ignore

  it('that is refused, by GetBill or its limit, is known not to be done', async () => {
    plant({ mode: 'status', status: 422, method: 'POST' }, { mode: 'rateLimited', retryAfterS: 0, method: 'POST' }); // prettier-ignore
    for (const status of [422, 429]) {
      const refused = await client.createDebt(debt).catch((error: unknown) => error);
      expect(refused).toMatchObject({ status });
      expect(refused).not.toBeInstanceOf(OutcomeUnknownError);
    }
    expect(sent()).toBe(2);
  });

  it('is sent once more after a 401; when no newer token can be had, it is known not to be done', async () => {
    plant({ mode: 'unauthorized', method: 'POST' });
    await client.createDebt(debt);
    expect(sent()).toBe(2);
    plant({ mode: 'unauthorized', method: 'POST' });
    app.sandbox.control.set({ token: [{ mode: 'status', status: 503, times: 0 }] });
    const error = await client.createDebt(debt).catch((reason: unknown) => reason);
    expect(error).not.toBeInstanceOf(OutcomeUnknownError);
    expect(sent()).toBe(3);
  });

  it.each([
    ['ERR_SSL_WRONG_VERSION_NUMBER', false],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', false],
    ['CERT_HAS_EXPIRED', false],
    ['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', true],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', true], // comes when the request has left
  ])('that ends with %s has an unknown outcome: %s', async (code, isUnknown) => {
    const cause = Object.assign(new Error(code), { code });
    const options = { code: 'getbill_unreachable', status: 502, cause };
    const send = () => Promise.reject(new UnavailableError('x', options));
    const access = { grantId: 'one', accessToken: 'x', renew: () => Promise.reject(cause) };
    const error = await withKnownOutcome(access, send).catch((reason: unknown) => reason);
    expect(error instanceof OutcomeUnknownError).toBe(isUnknown);
  });

  const dead = { silent: () => undefined, 'hangs up': (socket: Socket) => socket.destroy() };
  const refusing = (status: number) => (socket: Socket) =>
    socket.once('data', () => socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`));

  it.each<[string, string, (socket: Socket) => unknown]>([
    ['a handshake that is never answered', 'https', dead.silent],
    ['a handshake that is hung up on', 'https', dead['hangs up']],
    ['a proxy that is silent', 'proxy', dead.silent],
    ['a proxy that hangs up', 'proxy', dead['hangs up']],
    ['a proxy that answers 403', 'proxy', refusing(403)],
    ['a proxy that wants a password', 'proxy', refusing(407)],
    ['a proxy that reaches nobody', 'proxy', refusing(502)],
  ])(
    'that ends with %s has not left, and is known not to be done',
    async (_what, kind, onSocket) => {
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket.on('error', () => undefined));
        onSocket(socket);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const place = kind === 'https' ? `127.0.0.1:${port}` : 'getbill.example';
      const env = {
        GETBILL_API_URL: `https://${place}/external-api/v1`,
        GETBILL_TIMEOUT_MS: '400',
        ...(kind === 'proxy' && { HTTPS_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: 'localhost' }),
      };
      const lost = await startTestApp({ env, sandbox: app.sandbox });
      try {
        const error = await lost.services.appClient
          .createDebt(debt)
          .catch((reason: unknown) => reason);
        expect(sockets.size).toBeGreaterThan(0);
        expect(error).toBeInstanceOf(UnavailableError);
        expect(error).not.toBeInstanceOf(OutcomeUnknownError);
      } finally {
        await lost.close();
        for (const socket of sockets) socket.destroy();
        server.close();
      }
    },
  );

  it('that reached a server which never answers has an unknown outcome', async () => {
    plant({ mode: 'hang', method: 'POST' });
    const env = { GETBILL_TIMEOUT_MS: '400' };
    const hanging = await startTestApp({ env, sandbox: app.sandbox });
    const failed = hanging.services.appClient.createDebt(debt);
    await expect(failed).rejects.toThrow(OutcomeUnknownError);
    await hanging.close();
  });

  it('that found nobody listening is known not to be done', async () => {
    const GETBILL_API_URL = `http://localhost:${await freePort()}/external-api/v1`;
    const lost = await startTestApp({ env: { GETBILL_API_URL }, sandbox: app.sandbox });
    const error = await lost.services.appClient.createDebt(debt).catch((reason: unknown) => reason);
    await lost.close();
    expect(error).toMatchObject({ code: 'getbill_unreachable' });
    expect(error).not.toBeInstanceOf(OutcomeUnknownError);
  });
});

describe('a batch whose response names rows', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gb-batch-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let files = 0;

  /** States of three debts, after a response of this `data`. */
  async function statesAfter(data: object): Promise<string[]> {
    plant({ mode: 'status', status: 200, body: { error: false, data }, path: '/debts/batch' });
    return await statesOf([debt, debt, debt]);
  }

  async function statesOf(debts: object[]): Promise<string[]> {
    const entries = debts.map((each): Entry => ({ state: 'not_sent', debt: { ...each } }));
    const file = newReport(join(folder, `${(files += 1)}.json`), { entries });
    await sendBatches({
      client,
      file,
      states: ['not_sent'],
      batchSize: 100,
      maxWaitMs: 0,
      progress: { page: () => undefined, wait: () => undefined, stop: () => undefined },
      stopping: new AbortController().signal,
    });
    file.release();
    return entries.map(({ state }) => state);
  }

  it.each([
    ['by temp_id', { created: [{ temp_id: 'entry-1', index: 7 }] }, ['unknown', 'created', 'unknown']],
    ['by an index from 0', { failed: [{ index: 0 }, { index: 2 }] }, ['failed', 'unknown', 'failed']],
    ['by an index that is text', { failed: [{ index: '0' }, { index: '2' }] }, ['failed', 'unknown', 'failed']],
    ['by an index from 1', { failed: [{ index: 1 }, { index: 3 }] }, ['failed', 'unknown', 'failed']],
    ['by both, so that the count is known', { created: [{ temp_id: 'entry-0', index: 1 }], failed: [{ index: 2 }] }, ['created', 'failed', 'unknown']],
    ['by an index that may count from either', { failed: [{ index: 1 }] }, ['unknown', 'unknown', 'unknown']],
    ['not at all', {}, ['unknown', 'unknown', 'unknown']],
  ])('%s', async (_how, data, states) => {
    expect(await statesAfter(data)).toEqual(states);
  }); // prettier-ignore

  it.each([
    ['that are empty', ['', '', '']],
    ['that look like ours', ['entry-1', undefined, 'entry-0']],
  ])('by a temp_id, whatever temp_ids the file has: %s', async (_what, ids) => {
    const debts = ids.map((id) => ({ ...debt, ...(id !== undefined && { temp_id: id }) }));
    const [first, second, third] = debts;
    const expensive = { ...first, phone: '+212612345678' };
    expect(await statesOf([expensive, second ?? {}, third ?? {}])).toEqual([
      'failed',
      'created',
      'created',
    ]);
  });
});
