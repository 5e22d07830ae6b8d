import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createDebts } from '../../src/cli/batch/create-debts.js';
import { lookUpUnknown } from '../../src/cli/batch/look-up.js';
import { explainError } from '../../src/cli/explain-error.js';
import { newReport, openReport, type Entry } from '../../src/cli/batch/report.js';
import { GetbillApiError } from '../../src/errors.js';
import { createWalk } from '../../src/getbill/pagination.js';
import type { Client } from '../../src/cli/resources.js';

const folder = mkdtempSync(join(tmpdir(), 'gb-look-up-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

const debt = {
  firstname: 'Ada',
  lastname: 'Lovelace',
  amount: 12.5,
  currency: 'EUR',
  email: 'ada@example.com',
  internal_id: 'one',
};

/** A report whose debts have these `internal_id`, all of them sent, without a response. */
function reportOf(...ids: (string | undefined)[]): string {
  const path = join(folder, `${(files += 1)}.json`);
  const entries = ids.map((id): Entry => ({
    state: 'unknown',
    debt: { ...debt, internal_id: id },
  }));
  const file = newReport(path, { entries });
  file.save();
  file.release();
  return path;
}

const stopping = new AbortController().signal;
const progress = { page: () => undefined, wait: () => undefined, stop: () => undefined };

/** A GetBill that has these debts in its list, and loses every response to a batch when it is `silent`. */
function clientWith(found: object[], { silent = false } = {}) {
  const sent: unknown[] = [];
  const client = {
    all: createWalk({ sleep: (ms, signal) => delay(ms, undefined, signal && { signal }) }),
    debts: () =>
      Promise.resolve({
        items: found.map((each, at) => ({ id: `at-getbill-${at}`, ...each })),
        pagination: { page: 1, pages: 1, limit: 100, total: found.length },
      }),
    createDebts({ debts }: { debts: { temp_id: string; internal_id?: string }[] }) {
      sent.push(...debts.map(({ internal_id: id }) => id));
      const created = debts.map(({ temp_id }) => ({ temp_id, debt_id: `new-${temp_id}` }));
      return Promise.resolve({ created: silent ? [] : created, failed: [], skipped: [] });
    },
  };
  return { client: client as unknown as Client, sent };
}

interface Given {
  sendUnknown?: boolean;
  silent?: boolean;
  at?: ReturnType<typeof clientWith>;
  leaving?: AbortController;
  maxWait?: number;
  shown?: typeof progress;
}

async function resume(
  path: string,
  found: object[],
  { sendUnknown = false, silent = false, ...given }: Given = {},
) {
  const { client, sent } = given.at ?? clientWith(found, { silent });
  const output = { code: 0, told: '', printed: '' };
  const commands = createDebts({
    run: (work) => work(client, given.leaving?.signal ?? stopping),
    print: (text) => void (output.printed += text),
    tell: (text) => void (output.told += text),
    width: () => Infinity,
    progress: () => given.shown ?? progress,
    explain: explainError,
    exitWith: (code) => void (output.code = code),
  });
  const flags = {
    batchSize: 100,
    maxWait: given.maxWait ?? 0,
    ...(sendUnknown && { sendUnknown }),
  };
  await commands.resume(path, flags);
  const file = openReport(path);
  file.release();
  return { ...output, sent, states: file.report.entries.map(({ state }) => state) };
}

describe('an unknown debt', () => {
  it.each<[string, object[], string]>([
    ['is created when GetBill has it', [debt], 'created'],
    ['is created when GetBill writes its amount as text', [{ ...debt, amount: '12.50' }], 'created'],
    ['is created when GetBill writes more decimals', [{ ...debt, amount: '12.5000' }], 'created'],
    ['is created when another of its internal_id comes first', [{ ...debt, amount: 1 }, debt], 'created'],
    ['is created when another of its internal_id comes after it', [debt, { ...debt, amount: 1 }], 'created'],
    ['is not found when GetBill has none of its internal_id', [{ ...debt, internal_id: 'two' }], 'not found'],
    ['is not found among debts without one', [{ ...debt, internal_id: null }, { ...debt, internal_id: undefined }], 'not found'],
    ['is different when GetBill has another amount', [{ ...debt, amount: 20 }], 'different'],
    ['is different when GetBill has rounded its amount', [{ ...debt, amount: '12.51' }], 'different'],
    ['is different when GetBill has another currency', [{ ...debt, currency: 'USD' }], 'different'],
    ['is different when GetBill has it without an amount', [{ ...debt, amount: null }], 'different'],
  ])('%s', async (_what, found, outcome) => {
    const file = openReport(reportOf('one'));
    const { notFound, different } = await lookUpUnknown(clientWith(found).client, file, { stopping });
    file.release();
    const [entry] = file.report.entries as [Entry];
    const now = notFound.has(entry) ? 'not found' : different.has(entry) ? 'different' : entry.state;
    expect([now, entry.state]).toEqual([outcome, outcome === 'created' ? 'created' : 'unknown']);
  }); // prettier-ignore

  it.each(['null', 'undefined'])('of the internal_id "%s" is not one without any', async (id) => {
    const found = [
      { ...debt, internal_id: null },
      { ...debt, internal_id: undefined },
    ];
    const { states, told } = await resume(reportOf(id), found);
    expect([states, told]).toEqual([
      ['unknown'],
      expect.stringContaining('GetBill has no debt of that internal_id'),
    ]);
  });

  it('that GetBill has with another amount is not called missing, and nothing offers to send it', async () => {
    const { states, told, printed, code } = await resume(reportOf('one'), [
      { ...debt, amount: 20 },
    ]);
    expect([states, code]).toEqual([['unknown'], 6]);
    expect(told).toContain('of 1 GetBill has the internal_id, with another amount or currency');
    expect(printed).toContain('internal_id: there, with other values');
    expect(told).not.toContain('GetBill has no debt');
    expect(told).not.toContain('--send-unknown');
  });

  it('that GetBill has with another amount is left out of --send-unknown, which sends the others', async () => {
    const found = [{ ...debt, internal_id: 'two', amount: '20.00' }];
    const path = reportOf('one', 'two', undefined);
    const { states, sent, told } = await resume(path, found, { sendUnknown: true });
    expect(sent).toEqual(['one', undefined]);
    expect(states).toEqual(['created', 'unknown', 'created']);
    expect(told).toContain('of 1 GetBill has the internal_id, with another amount or currency');
    expect((await resume(path, found, { sendUnknown: true })).sent).toEqual([]);
  });

  it('that was sent again without a response is not called missing: it was looked for before that', async () => {
    const { sent, told } = await resume(reportOf('one'), [], { sendUnknown: true, silent: true });
    expect(sent).toEqual(['one']);
    expect(told).toContain('GetBill may have them');
    expect(told).not.toContain('GetBill has no debt');
  });

  it('is not sent again by a corrected debt that has its internal_id, nor is a created one', async () => {
    const path = join(folder, 'corrected.json');
    const entries = (
      [
        ['created', 'one'],
        ['failed', 'one'],
        ['not_sent', 'two'],
        ['unknown', 'two'],
        ['skipped', 'three'],
        ['not_sent', 'three'],
      ] as const
    ).map(([state, id]): Entry => ({ state, debt: { ...debt, internal_id: id } }));
    const file = newReport(path, { entries });
    file.save();
    file.release();
    const at = clientWith([]);
    const fault = ['is there twice, and should be unique'];
    await expect(resume(path, [], { at })).rejects.toMatchObject({
      fields: { '1.internal_id': fault, '2.internal_id': fault },
    });
    expect(at.sent).toEqual([]);
  });

  it('that cannot be looked for names the reason, and no page to go on with: the command has none', async () => {
    const at = clientWith([]);
    const refusal = new GetbillApiError({ status: 404, message: 'no such list' });
    at.client.debts = () => Promise.reject(refusal);
    const { states, told } = await resume(reportOf('one'), [], { at });
    expect(states).toEqual(['unknown']);
    expect(told).toContain('1 debt: 1 unknown');
    expect(told).toContain('none of them is sent: no such list (not_found)');
    expect(told).not.toContain('--page');
  });

  it('is neither waited for nor sent after Ctrl-C while GetBill says to wait', async () => {
    const at = clientWith([]);
    const limit = new GetbillApiError({ status: 429, message: 'limit', retryAfterS: 50 });
    at.client.debts = () => Promise.reject(limit);
    const leaving = new AbortController();
    const shown = { ...progress, wait: () => void setImmediate(() => leaving.abort()) };
    const options = { at, leaving, shown, maxWait: 60, sendUnknown: true };
    const { states, sent, told } = await resume(reportOf('one'), [], options);
    expect([states, sent]).toEqual([['unknown'], []]);
    expect(told).toContain('GetBill may have them');
    expect(told).not.toContain('could not look for');
  }, 10_000);
});
