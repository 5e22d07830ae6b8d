import { mkdtempSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newReport, openReport } from '../../src/cli/batch/report.js';

const folder = mkdtempSync(join(tmpdir(), 'gb-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

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
    expect(existsSync(`${path}.lock`)).toBe(false);
  });
});
