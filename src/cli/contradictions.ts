import type { Command } from 'commander';
import { misused } from './input.js';

/** Options by the names that commander gives them. */
const contradictions = [
  { options: ['json', 'csv'], cure: '--json and --csv are two formats: drop one of them' },
  { options: ['json', 'dryRun'], cure: 'drop --json: --dry-run shows the request as text' },
  {
    options: ['resume', 'report'],
    cure: 'drop --report: --resume goes on in the report that it names',
  },
  {
    options: ['debt', 'status'],
    cure: 'drop --status: GetBill documents no such filter of one debt',
  },
  { options: ['debt', 'type'], cure: 'drop --type: GetBill documents no such filter of one debt' },
  { options: ['debtor', 'creditor'], cure: 'drop --debtor or --creditor: GetBill lists by one' },
] as const;

const isGiven = (command: Command, option: string): boolean =>
  command.getOptionValueSource(option) === 'cli';

/** Ends a command with two options of which it would ignore one. @throws {InvalidArgumentError} */
export function refuseContradictions(command: Command): void {
  for (const { options, cure } of contradictions)
    if (options.every((option) => isGiven(command, option))) misused(cure);
}

const OF_LISTS = { report: '--report', batchSize: '--batch-size', maxWait: '--max-wait' };

/** Ends a `debts create` of one debt with an option of a list. @throws {InvalidArgumentError} */
export function refuseListOptions(command: Command): void {
  for (const [option, typed] of Object.entries(OF_LISTS))
    if (isGiven(command, option)) misused(`drop ${typed}: it is for a list of debts`);
}
