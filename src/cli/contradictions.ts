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
] as const;

/** Ends a command that was given two options of which it would obey one. @throws {InvalidArgumentError} */
export function refuseContradictions(command: Command): void {
  const isGiven = (option: string): boolean => command.getOptionValueSource(option) === 'cli';
  for (const { options, cure } of contradictions) if (options.every(isGiven)) misused(cure);
}
