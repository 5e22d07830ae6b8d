import { OutcomeUnknownError, WalkStoppedError, type AppError } from '../../errors.js';
import { misused } from '../input.js';
import { inJson } from '../output.js';
import type { Deps } from '../deps.js';
import type { Client } from '../resources.js';
import { listTable } from '../tables.js';
import { counted } from '../totals.js';
import { assertEntries, entriesOf } from './debts-file.js';
import { lookUpUnknown, NOT_LOOKED_UP, type LookedUp } from './look-up.js';
import { newReport, openReport, type ReportFile, type State } from './report.js';
import { sendBatches } from './send-batches.js';
import { exitCodeFor, problemsOf, rowsOf, summaryOf } from './summary.js';

export interface BatchFlags {
  json?: true;
  verbose?: true;
  report?: string;
  batchSize: number;
  maxWait: number;
  sendUnknown?: true;
  dryRun?: true;
}

const MAX_SHOWN = 20;
const PROBLEM_COLUMNS = { entry: ['entry'], state: ['state'], why: ['why'] } as const;

const SENT_ALWAYS: readonly State[] = ['not_sent', 'failed'];

const statesToSend = ({ sendUnknown }: BatchFlags): readonly State[] =>
  sendUnknown ? [...SENT_ALWAYS, 'unknown'] : SENT_ALWAYS;

const dryRunOf = (count: number, { batchSize }: BatchFlags): string =>
  `POST /debts/batch: ${counted(count, 'debt')} in ${counted(Math.ceil(count / batchSize), 'call')}`;

/** Many debts, in batches, with a report that says what became of each. */
export function createDebts({ run, print, tell, width, progress, explain, exitWith }: Deps) {
  async function send(
    file: ReportFile,
    { isResumed }: { isResumed: boolean },
    flags: BatchFlags,
  ): Promise<void> {
    const shown = progress('batch');
    const maxWaitMs = flags.maxWait * 1000;
    let stopped: AppError | undefined;
    let lookedUp: LookedUp | undefined;
    const work = async (client: Client, stopping: AbortSignal): Promise<void> => {
      file.save();
      if (isResumed) lookedUp = await lookUp(client, file, { stopping, maxWaitMs });
      stopped = await sendBatches({
        client,
        file,
        states: lookedUp ? statesToSend(flags) : SENT_ALWAYS,
        ...(lookedUp && { except: lookedUp.different }),
        batchSize: flags.batchSize,
        maxWaitMs,
        progress: shown,
        stopping,
      }).finally(() => shown.stop());
    };
    await run(work, { ...flags, finishes: true });
    if (stopped instanceof OutcomeUnknownError) tell('stopped: two calls in a row had no response');
    else if (stopped !== undefined) tell(`stopped: ${explain(stopped)}`);
    const { notFound, different } = lookedUp ?? NOT_LOOKED_UP;
    exitWith(exitCodeFor(file, stopped)); // first, for a reader that does not wait for the table
    // what was not there may be there by now, when it was sent
    show(file, flags, { notFound: flags.sendUnknown ? new Set() : notFound, different });
  }

  /** `undefined` when it fails: then the debts stay unknown and none is sent, which is safe. */
  async function lookUp(
    client: Client,
    file: ReportFile,
    limits: { stopping: AbortSignal; maxWaitMs: number },
  ): Promise<LookedUp | undefined> {
    const shown = progress();
    try {
      return await lookUpUnknown(client, file, { ...limits, onWait: (wait) => shown.wait(wait) });
    } catch (error) {
      if (limits.stopping.aborted) return undefined;
      const cause = error instanceof WalkStoppedError ? error.cause : error;
      tell(`could not look for the unknown debts, so none of them is sent: ${explain(cause)}`);
      return undefined;
    }
  }

  function show(file: ReportFile, { json }: BatchFlags, lookedUp: LookedUp): void {
    if (json) return print(inJson(rowsOf(file, lookedUp)));
    const problems = problemsOf(file, lookedUp);
    if (problems.length > 0)
      print(listTable(PROBLEM_COLUMNS, problems.slice(0, MAX_SHOWN), width()));
    if (problems.length > MAX_SHOWN) tell(`and ${problems.length - MAX_SHOWN} more, in the report`);
    tell(summaryOf(file, lookedUp));
  }

  return {
    async begin(body: Record<string, unknown>, from: string, flags: BatchFlags): Promise<void> {
      const content = entriesOf(body);
      if (flags.dryRun) return print(dryRunOf(content.entries.length, flags));
      if (from === '-' && flags.report === undefined)
        misused('a list from standard input needs --report <file>');
      const path = flags.report ?? `${from.replace(/\.json$/, '')}.report.json`;
      const file = newReport(path, content);
      await send(file, { isResumed: false }, flags).finally(() => file.release());
    },
    async resume(path: string, flags: BatchFlags): Promise<void> {
      const file = openReport(path);
      const states = statesToSend(flags);
      const { entries } = file.report;
      try {
        assertEntries(entries, states);
        if (flags.dryRun) {
          const count = entries.filter(({ state }) => states.includes(state)).length;
          return print(dryRunOf(count, flags));
        }
        await send(file, { isResumed: true }, flags);
      } finally {
        file.release();
      }
    },
  };
}
