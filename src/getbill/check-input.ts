import type { z } from 'zod';
import { InvalidInputError } from '../errors.js';
import { writeRules } from './write-rules.js';

/** The faults of a body by field; `{}`: none. `''` is the body itself. */
export function inputFaults(
  rule: keyof typeof writeRules,
  body: unknown,
): Record<string, string[]> {
  const { error } = writeRules[rule].safeParse(body, { error: plainText });
  const faults = new Map<string, string[]>();
  const add = (path: PropertyKey[], message: string): void => {
    const field = path.map(String).join('.');
    faults.set(field, [...(faults.get(field) ?? []), message]);
  };
  for (const issue of error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys')
      issue.keys.forEach((key) => add([...issue.path, key], 'GetBill documents no such field'));
    else add(issue.path, issue.message);
  }
  const isEmptyChange = rule.endsWith('Change') && Object.keys(body ?? {}).length === 0;
  if (isEmptyChange && faults.size === 0) add([], 'there is nothing to change in it');
  return Object.fromEntries(faults);
}

/** Before anything is sent. @throws {InvalidInputError} */
export function assertInput(rule: keyof typeof writeRules, body: unknown): void {
  const faults = inputFaults(rule, body);
  if (Object.keys(faults).length > 0) throw new InvalidInputError(faults);
}

const plainText: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_type')
    return issue.input === undefined ? 'is required' : `must be of type ${issue.expected}`;
  if (issue.code === 'invalid_value') return `must be one of: ${issue.values.join(', ')}`;
  return undefined;
};
