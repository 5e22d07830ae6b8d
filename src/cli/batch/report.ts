import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { jsonFrom, misused } from '../input.js';
import { quoted } from '../output.js';
import { takeLock } from './report-lock.js';

/**
 * The outcome of each debt of a file. `unknown`: sent, and no response said more. A report is
 * written before every call, with what is about to be sent as `unknown`, and after it: whatever
 * ends the process, nothing is sent twice.
 */
const entry = z.object({
  state: z.enum(['not_sent', 'unknown', 'created', 'failed', 'skipped']),
  debt_id: z.string().optional(),
  errors: z.unknown().optional(),
  debt: z.record(z.string(), z.unknown()),
});
const report = z.object({
  about: z.string().optional(),
  batch_name: z.string().optional(),
  accept_expensive_destination: z.boolean().optional(),
  entries: z.array(entry),
});

export type Entry = z.infer<typeof entry>;
export type State = Entry['state'];
export type Report = z.infer<typeof report>;

const ABOUT =
  'Made by "getbill debts create". Correct debts that failed in here, and go on with --resume.';

/** A report file, held by this process alone until `release`. */
export interface ReportFile {
  readonly path: string;
  readonly report: Report;
  save(): void;
  release(): void;
}

/** @throws {InvalidArgumentError} there is one already: the same debts would be sent twice. */
export function newReport(path: string, content: Omit<Report, 'about'>): ReportFile {
  return hold(path, () => {
    if (existsSync(path)) {
      misused(
        `${path} is there already: these debts were sent before.\n` +
          `  go on with: debts create --resume ${quoted(path)}\n` +
          '  to send them all once more, name another file with --report',
      );
    }
    return { about: ABOUT, ...content };
  });
}

/** @throws {InvalidArgumentError} it is none, or another process has it. */
export const openReport = (path: string): ReportFile => hold(path, () => readReport(path));

function readReport(path: string): Report {
  const json = jsonFrom(path, '--resume');
  const read = report.safeParse(json);
  if (read.success) return json as Report; // with what a person has added
  const [issue] = read.error.issues;
  return misused(
    `the file of --resume is no report: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
  );
}

/** Locked before it is read, because who has the lock writes until it is given back. */
function hold(path: string, read: () => Report): ReportFile {
  const release = takeLock(path);
  let content: Report;
  try {
    content = read();
  } catch (error) {
    release();
    throw error;
  }
  return {
    path,
    report: content,
    release,
    save: () => replaceFile(path, `${JSON.stringify(content, null, 1)}\n`),
  };
}

/** Keeps the old file when it fails, on a full disk for example. @throws {InvalidArgumentError} */
function replaceFile(path: string, text: string): void {
  try {
    writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    misused(`the report cannot be written, so nothing more is sent: ${path} (${code})`);
  }
}
