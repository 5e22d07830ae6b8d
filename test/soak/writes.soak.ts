import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/until.js';
import { startCommandLine, type CommandLine } from '../cli/support/commands.js';

interface Entry {
  state: string;
  debt_id?: string;
  errors?: unknown;
  debt: Record<string, unknown>;
}

let cli: CommandLine;
let folder: string;
beforeAll(async () => {
  cli = await startCommandLine();
});
afterAll(() => cli.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gb-writes-'));
});
afterEach(() => {
  cli.sandbox.control.reset();
  cli.sandbox.control.clearRequests();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string): string => join(folder, name);
const write = (name: string, body: unknown): void =>
  writeFileSync(path(name), JSON.stringify(body));
const run = (args: string) => cli.run(args, {}, { cwd: folder });
const report = (): Entry[] =>
  (JSON.parse(readFileSync(path('debts.report.json'), 'utf8')) as { entries: Entry[] }).entries;
const inState = (state: string): number => report().filter((entry) => entry.state === state).length;
const writes = () =>
  cli.sandbox.control
    .requests()
    .filter(({ method, url }) => method !== 'GET' && url.includes('/external-api/'));

let prefix = 0;
/** `internal_id` differs from test to test: the sandbox keeps what was created. */
function debts(count: number): Record<string, unknown>[] {
  prefix += 1;
  return Array.from({ length: count }, (_, index) => ({
    firstname: 'Ada',
    lastname: `Lovelace ${index}`,
    amount: 10 + index / 100,
    currency: 'EUR',
    email: 'ada@example.com',
    internal_id: `run${prefix}-${index}`,
  }));
}

/** How often GetBill has each of this test's debts. */
async function atGetbill(): Promise<Map<string, number>> {
  const { stdout } = await run('debts list --all --json');
  const counts = new Map<string, number>();
  for (const { internal_id: id } of JSON.parse(stdout) as { internal_id: string | null }[])
    if (id?.startsWith(`run${prefix}-`)) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
const eachOnce = (counts: Map<string, number>): boolean =>
  [...counts.values()].every((count) => count === 1);

describe('500 debts from a file', () => {
  it('with a 429, a 422 and a cut connection in the middle: nothing twice, nothing lost, and it says what to do', async () => {
    write('debts.json', debts(500));
    cli.sandbox.control.set({
      api: [
        { mode: 'rateLimited', retryAfterS: 1, path: '/debts/batch' },
        { mode: 'slow', ms: 0, path: '/debts/batch' },
        { mode: 'status', status: 422, path: '/debts/batch', body: { error: true, message: 'too expensive', code: 422 } },
        { mode: 'cut', afterBytes: 20, path: '/debts/batch' }, // done, but the response is cut off
        { mode: 'drop', path: '/debts/batch' }, // not done, and no response either
      ],
    }); // prettier-ignore
    const first = await run('debts create --from debts.json --batch-size 50');
    expect(first.code).toBe(6);
    expect(first.stderr).toContain("GetBill's limit is reached: batch 1 again in 1 s");
    expect(first.stderr).toContain('500 debts: 50 created, 50 failed, 100 unknown, 300 not sent');
    expect(first.stderr).toContain('debts create --resume debts.report.json');
    expect(first.stderr).toContain('look for them by internal_id');
    expect(first.stdout).toContain('too expensive');

    const again = await run('debts create --from debts.json');
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('is there already')]);

    const second = await run('debts create --resume debts.report.json');
    expect(second.code).toBe(6);
    expect(second.stderr).toContain('500 debts: 450 created, 50 unknown');
    expect(second.stderr).toContain('GetBill has no debt of that internal_id');
    expect(eachOnce(await atGetbill())).toBe(true);

    const third = await run('debts create --resume debts.report.json --send-unknown');
    expect([third.code, third.stderr]).toEqual([
      0,
      expect.stringContaining('500 debts: 500 created'),
    ]);
    const counts = await atGetbill();
    expect([counts.size, eachOnce(counts)]).toEqual([500, true]);
    expect(new Set(report().map((entry) => entry.debt_id)).size).toBe(500);
  });

  it('that nobody could look for stay unknown, and are not sent again', async () => {
    write('debts.json', debts(20));
    cli.sandbox.control.set({ api: [{ mode: 'cut', afterBytes: 20, path: '/debts/batch' }] });
    await run('debts create --from debts.json --batch-size 10');
    expect([inState('unknown'), inState('created')]).toEqual([10, 10]);
    cli.sandbox.control.set({ api: [{ mode: 'status', status: 500, times: 0, path: '/debts' }] });
    const resumed = await run('debts create --resume debts.report.json --send-unknown');
    expect([resumed.code, resumed.stderr]).toEqual([
      6,
      expect.stringContaining('could not look for the unknown debts, so none of them is sent'),
    ]);
    expect([inState('unknown'), inState('created')]).toEqual([10, 10]);
    cli.sandbox.control.reset();
    expect(eachOnce(await atGetbill())).toBe(true);
  });

  it('says that it waits while unknown debts are looked for, and no longer than it may', async () => {
    write('debts.json', debts(1));
    cli.sandbox.control.set({ api: [{ mode: 'cut', afterBytes: 20, path: '/debts/batch' }] });
    await run('debts create --from debts.json');
    const limit = { mode: 'rateLimited', path: '/debts' } as const;
    cli.sandbox.control.set({ api: [{ ...limit, retryAfterS: 2 }] });
    const tooLong = await run('debts create --resume debts.report.json --max-wait 1');
    expect(tooLong.stderr).toContain('could not look for the unknown debts');
    cli.sandbox.control.set({ api: [{ ...limit, retryAfterS: 1 }] });
    const { stderr } = await run('debts create --resume debts.report.json --max-wait 1');
    expect(stderr).toContain("GetBill's limit is reached: page 1 again in 1 s");
    expect(inState('created')).toBe(1);
  });

  it('Ctrl-C ends the wait while unknown debts are looked for', async () => {
    write('debts.json', debts(1));
    cli.sandbox.control.set({ api: [{ mode: 'drop', path: '/debts/batch' }] });
    await run('debts create --from debts.json');
    cli.sandbox.control.set({ api: [{ mode: 'rateLimited', path: '/debts', retryAfterS: 50 }] });
    const startedMs = performance.now();
    const running = cli.start('debts create --resume debts.report.json', {}, { cwd: folder });
    await until('it waits', () => running.said().includes('page 1 again in 50 s'));
    running.child.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(performance.now() - startedMs).toBeLessThan(30_000);
    expect([code, inState('unknown')]).toEqual([130, 1]);
    expect(stderr).toContain('1 debt: 1 unknown');
  });

  it('goes on after one call without a response', async () => {
    write('debts.json', debts(40));
    cli.sandbox.control.set({ api: [{ mode: 'drop', path: '/debts/batch' }] });
    await run('debts create --from debts.json --batch-size 10');
    expect([inState('unknown'), inState('created')]).toEqual([10, 30]);
  });

  it('a process that is killed leaves what it had sent as unknown, and the rest as not sent', async () => {
    write('debts.json', debts(30));
    cli.sandbox.control.set({
      api: [
        { mode: 'slow', ms: 0, path: '/debts/batch' },
        { mode: 'hold', path: '/debts/batch' },
      ],
    });
    const running = cli.start(
      'debts create --from debts.json --batch-size 10',
      {},
      { cwd: folder },
    );
    await until('the second call is held', () => cli.sandbox.control.state().held === 1);
    const other = await run('debts create --resume debts.report.json');
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('is at work with')]);
    running.child.kill('SIGKILL');
    await running.ended;
    cli.sandbox.control.release();
    expect([inState('created'), inState('unknown'), inState('not_sent')]).toEqual([10, 10, 10]);
    await run('debts create --resume debts.report.json');
    expect([inState('created'), inState('unknown')]).toEqual([30, 0]); // found by its internal_id
    expect(eachOnce(await atGetbill())).toBe(true);
  });

  it('Ctrl-C lets the call under way end, and begins no other', async () => {
    write('debts.json', debts(30));
    cli.sandbox.control.set({
      api: [
        { mode: 'slow', ms: 0, path: '/debts/batch' },
        { mode: 'hold', path: '/debts/batch' },
      ],
    });
    const running = cli.start(
      'debts create --from debts.json --batch-size 10',
      {},
      { cwd: folder },
    );
    await until('the second call is held', () => cli.sandbox.control.state().held === 1);
    running.child.kill('SIGINT');
    await until('it has noticed', () => running.said().includes('stopping after the call'));
    cli.sandbox.control.release();
    const { code, stderr } = await running.ended;
    expect([code, inState('created'), inState('not_sent')]).toEqual([130, 20, 10]);
    expect(stderr).toContain('30 debts: 20 created, 10 not sent');
  });

  it('goes on with --dry-run by saying what it would send', async () => {
    write('debts.json', debts(30));
    cli.sandbox.control.set({
      api: [{ mode: 'rateLimited', retryAfterS: 1800, path: '/debts/batch' }],
    });
    await run('debts create --from debts.json');
    const before = writes().length;
    const { code, stdout } = await run('debts create --resume debts.report.json --dry-run');
    expect([code, stdout]).toEqual([0, 'POST /debts/batch: 30 debts in 1 call\n']);
    expect([writes().length, inState('not_sent')]).toEqual([before, 30]);
  });

  it('stops at a limit that takes too long, with nothing unknown', async () => {
    write('debts.json', debts(30));
    cli.sandbox.control.set({
      api: [
        { mode: 'slow', ms: 0, path: '/debts/batch' },
        { mode: 'rateLimited', retryAfterS: 1800, path: '/debts/batch' },
      ],
    });
    const { code } = await run('debts create --from debts.json --batch-size 10');
    expect([code, inState('created'), inState('not_sent')]).toEqual([5, 10, 20]);
  });

  it('a debt that GetBill refuses is corrected in the report and sent alone', async () => {
    const list = debts(3);
    Object.assign(list[1] ?? {}, { phone: '+212612345678' }); // expensive, and not accepted
    write('debts.json', list);
    const { code, stdout } = await run('debts create --from debts.json --json');
    expect([code, inState('failed')]).toEqual([4, 1]);
    expect(JSON.parse(stdout)).toMatchObject([{}, { entry: 1, state: 'failed' }, {}]);
    const content = JSON.parse(readFileSync(path('debts.report.json'), 'utf8')) as {
      entries: Entry[];
    };
    Object.assign(content.entries[1]?.debt ?? {}, { accept_expensive_destination: true });
    write('debts.report.json', content);
    const resumed = await run('debts create --resume debts.report.json');
    expect([resumed.code, inState('created')]).toEqual([0, 3]);
    expect(eachOnce(await atGetbill())).toBe(true);
  });

  it('with a fault in one of them sends none, and names entry and field', async () => {
    const list = debts(3);
    Object.assign(list[2] ?? {}, { amount: '12', surname: 'x' });
    write('debts.json', list);
    const { code, stderr } = await run('debts create --from debts.json');
    expect(code).toBe(2);
    expect(stderr).toContain('2.amount: must be of type number');
    expect(stderr).toContain('2.surname: GetBill documents no such field');
    write('debts.json', [list[0], { ...list[0], lastname: 'Another' }]);
    const twice = await run('debts create --from debts.json');
    expect(twice.stderr).toContain('1.internal_id: is there twice, and should be unique');
    expect([writes(), existsSync(path('debts.report.json'))]).toEqual([[], false]);
  });

  it('with --dry-run says how many calls it would be, and leaves no report', async () => {
    write('debts.json', debts(450));
    const { code, stdout } = await run('debts create --from debts.json --dry-run');
    expect([code, stdout]).toEqual([0, 'POST /debts/batch: 450 debts in 5 calls\n']);
    expect([writes(), existsSync(path('debts.report.json'))]).toEqual([[], false]);
  });
});

describe('one of them', () => {
  async function created(): Promise<string> {
    write('debt.json', debts(1)[0]);
    const { stdout } = await run('debts create --from debt.json --json');
    return (JSON.parse(stdout) as { id: string }).id;
  }

  it('is created, changed and deleted', async () => {
    const id = await created();
    write('change.json', { status: 'status.default.on_hold', object: 'Invoice 7' });
    const changed = await run(`debts update ${id} --from change.json --json`);
    expect(JSON.parse(changed.stdout)).toMatchObject({ id, status: 'status.default.on_hold', object: 'Invoice 7' }); // prettier-ignore
    expect(await run(`debts delete ${id} --yes`)).toEqual({ code: 0, stdout: '', stderr: `deleted: ${id}\n` }); // prettier-ignore
    expect((await run(`debts get ${id}`)).code).toBe(4);
  });

  it('is not deleted without a terminal to ask at and without --yes', async () => {
    const id = await created();
    const { code, stderr } = await run(`debts delete ${id}`);
    expect([code, stderr]).toEqual([2, expect.stringContaining('add --yes')]);
    expect((await run(`debts get ${id}`)).code).toBe(0);
  });

  it('is a debtor, a creditor or a follow-up as well', async () => {
    const first = async (list: string): Promise<string> =>
      (JSON.parse((await run(`${list} list --limit 1 --json`)).stdout) as { id: string }[])[0]?.id ?? ''; // prettier-ignore
    write('debtor.json', { phone: '+33612345678' });
    const debtor = await run(`debtors update ${await first('debtors')} --from debtor.json --json`);
    expect(JSON.parse(debtor.stdout)).toMatchObject({ phone: '+33612345678' });
    write('creditor.json', { city: 'Lyon' });
    const creditor = await run(
      `creditors update ${await first('creditors')} --from creditor.json --json`,
    );
    expect(JSON.parse(creditor.stdout)).toMatchObject({ city: 'Lyon' });
    write('followup.json', { debt_id: await first('debts'), type: 'email' });
    const followup = await run('followups create --from followup.json --json');
    const { id } = JSON.parse(followup.stdout) as { id: string };
    write('change.json', { notes: 'called back' });
    const changed = await run(`followups update ${id} --from change.json --json`);
    expect(JSON.parse(changed.stdout)).toMatchObject({ id, notes: 'called back', status: 'on_hold' }); // prettier-ignore
  });

  it.each([
    ['cut off', { mode: 'cut', afterBytes: 20 }],
    ['not answered', { mode: 'drop' }],
    ['answered with a 500', { mode: 'status', status: 500 }],
    ['answered by a firewall', { mode: 'html' }],
  ] as const)('that is %s is sent once, and may have been done', async (_how, fault) => {
    cli.sandbox.control.set({ api: [{ ...fault, method: 'POST' }] });
    write('debt.json', debts(1)[0]);
    const { code, stderr } = await run('debts create --from debt.json');
    expect([code, writes().length]).toEqual([6, 1]);
    expect(stderr).toContain('GetBill may have done it: look before it is sent again');
  });

  it('is sent once more after a 401, and never after anything else', async () => {
    cli.sandbox.control.set({ api: [{ mode: 'unauthorized', method: 'POST' }] });
    write('debt.json', debts(1)[0]);
    expect((await run('debts create --from debt.json')).code).toBe(0);
    expect([writes().length, (await atGetbill()).size]).toEqual([2, 1]);
  });

  it('that nobody was there to take was surely not done', async () => {
    write('debt.json', debts(1)[0]);
    const { code, stderr } = await cli.run(
      'debts create --from debt.json',
      { GETBILL_API_URL: 'http://localhost:1/external-api/v1' },
      { cwd: folder },
    );
    expect(code).toBe(6);
    expect(stderr).not.toContain('may have done it');
  });

  it('with a fault is not sent, and --dry-run shows what would be', async () => {
    write('debt.json', { firstname: 'Ada', amount: -1 });
    const wrong = await run('debts create --from debt.json --dry-run');
    expect([wrong.code, wrong.stdout]).toEqual([2, '']);
    expect(wrong.stderr).toMatch(/ {2}lastname: is required\n[^]* {2}amount: must be greater than 0\n/); // prettier-ignore
    write('change.json', { status: 'status.default.paid' });
    const dry = await run('debts update abc --from change.json --dry-run');
    expect(dry.stdout).toBe('PUT /debts/abc\n{\n  "status": "status.default.paid"\n}\n');
    expect(writes()).toEqual([]);
  });
});
