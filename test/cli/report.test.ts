import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NOT_LOOKED_UP } from '../../src/cli/batch/look-up.js';
import { newReport, openReport } from '../../src/cli/batch/report.js';
import { summaryOf } from '../../src/cli/batch/summary.js';

const folder = mkdtempSync(join(tmpdir(), 'gb-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const locks = (name: string): string[] =>
  readdirSync(folder).filter((each) => each.startsWith(`${name}.lock`));

async function ended(child: ChildProcess): Promise<ChildProcess> {
  await once(child, 'exit');
  return child;
}

/** A process that opens the report again and again, beside locks of a dead process; ends with 1 where it is not alone. */
function startHolder(path: string, dead: number): ChildProcess {
  const code = `
    import { rmSync, writeFileSync } from 'node:fs';
    import { openReport } from './src/cli/batch/report.ts';
    process.stderr.write = () => true;
    const [path, dead] = process.argv.slice(1);
    let held = 0;
    for (const untilMs = Date.now() + 1_500; Date.now() < untilMs; ) {
      if (Math.random() < 0.1) writeFileSync(path + '.lock.' + dead, '');
      let report;
      try {
        report = openReport(path);
      } catch {
        continue;
      }
      held += 1;
      writeFileSync(path + '.inside', '', { flag: 'wx' });
      rmSync(path + '.inside');
      report.release();
    }
    if (held === 0) process.exitCode = 2;`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', code, path, String(dead)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

describe('a report of debts', () => {
  it('is read only by who has its lock, and so never while another process writes it', () => {
    const path = join(folder, 'held.json');
    const held = newReport(path, { entries: [] });
    writeFileSync(path, 'half a text');
    expect(() => openReport(path)).toThrow(`process ${process.pid} is at work with ${path}`);
    held.save();
    held.release();
    const opened = openReport(path);
    expect(opened.report.entries).toEqual([]);
    opened.release();
  });

  it('that cannot be read leaves no lock behind', () => {
    const path = join(folder, 'none.json');
    expect(() => openReport(path)).toThrow('cannot be read');
    writeFileSync(path, '{"entries":1}');
    expect(() => openReport(path)).toThrow('is no report');
    expect(() => newReport(path, { entries: [] })).toThrow('is there already');
    expect(locks('none.json')).toEqual([]);
  });

  it('that was corrected by hand keeps what else was written into it', () => {
    const path = join(folder, 'notes.json');
    const report = {
      by: 'Ada',
      entries: [{ state: 'failed', debt: {}, note: 'asked the debtor' }],
    };
    writeFileSync(path, JSON.stringify(report));
    const held = openReport(path);
    held.save();
    held.release();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(report);
  });

  it('with a space in its name stands in quotes in a command that is to be copied', () => {
    const path = join(folder, 'my debts.json');
    const held = newReport(path, { entries: [{ state: 'not_sent', debt: {} }] });
    held.save();
    held.release();
    expect(summaryOf(held, NOT_LOOKED_UP)).toContain(`debts create --resume "${path}"`);
    expect(() => newReport(path, { entries: [] })).toThrow(`debts create --resume "${path}"`);
  });

  it('that cannot be written any more is named, and what was written before stays', () => {
    const path = join(folder, 'full.json');
    const held = newReport(path, { entries: [] });
    held.save();
    mkdirSync(`${path}.new`); // in the way, as a full disk would be
    held.report.entries.push({ state: 'unknown', debt: {} });
    expect(() => held.save()).toThrow(`nothing more is sent: ${path} (EISDIR)`);
    held.release();
    const opened = openReport(path);
    opened.release();
    expect(opened.report.entries).toEqual([]);
  });

  it('is held by one process at a time, also of those that begin at once and one that died', async () => {
    const path = join(folder, 'raced.json');
    writeFileSync(path, '{"entries":[]}');
    const { pid: dead = 0 } = await ended(spawn(process.execPath, ['--version']));
    const raced = [1, 2, 3].map(() => startHolder(path, dead));
    const codes = await Promise.all(raced.map(async (child) => (await ended(child)).exitCode));
    expect(codes).toEqual([0, 0, 0]);
    openReport(path).release();
    expect(locks('raced.json')).toEqual([]);
  });
});
