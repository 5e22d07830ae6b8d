import type { z } from 'zod';
import { ConfigError } from '../errors.js';
import { configFrom } from './from-values.js';
import { invariantProblems } from './invariants.js';
import { misspeltNames } from './misspelt.js';
import { observe } from './observations.js';
import type { Config } from './types.js';
import { fileOf, unreadable, valueOf, type Environment, type ReadFile } from './value-files.js';
import { variables, type Values } from './variables.js';

export type * from './types.js';

/**
 * @param readFile for `*_FILE` variables, which name a file that holds the value.
 * @throws {ConfigError} with every fault at once, by name and never by value.
 */
export function parseConfig(env: Environment, readFile?: ReadFile): Config {
  const problems = dotenvProblems(env);
  const values: Record<string, unknown> = {};
  for (const [name, { schema, hint }] of Object.entries(variables)) {
    let raw: string | undefined;
    try {
      raw = valueOf(name, env, readFile);
    } catch (error) {
      problems.push(unreadable(`${name}_FILE`, error));
      continue;
    }
    const result = schema.safeParse(raw?.trim() || undefined);
    if (result.success) values[name] = result.data;
    else problems.push(problemText(name, { issue: issueOf(result.error, name, env), raw, hint }));
  }
  problems.push(...invariantProblems(values, env));
  if (problems.length > 0) {
    const misspelt = misspeltNames(env, Object.keys(variables));
    throw new ConfigError([...problems, ...misspelt.map(({ name, seen }) => `${name} ${seen}`)]);
  }
  return deepFreeze(configFrom(values as Values, env));
}

function issueOf({ issues }: z.ZodError, name: string, env: Environment): string | undefined {
  const message = issues[0]?.message;
  const index = issues[0]?.path[0];
  if (typeof index === 'number')
    return `${message} (entry ${index + 1}: a comma separates entries, %2C is a comma)`;
  const isEmptyFile = message === 'is not set' && fileOf(name, env) !== undefined;
  return isEmptyFile ? `is not set: ${name}_FILE names an empty file` : message;
}

/** Node reads the byte order mark, and all comments up to the first `=`, as part of a name. */
const dotenvProblems = (env: Environment): string[] =>
  Object.keys(env).some((name) => /^[\uFEFF\uFFFD]/.test(name))
    ? [
        '.env begins with a byte order mark, which hides its first variable; save it as UTF-8 without one (Windows: "UTF-8", not "UTF-8 with BOM" or "Unicode")',
      ]
    : [];

/** "NAME what is wrong (what can be seen); how to get a value": never the value. */
function problemText(
  name: string,
  {
    issue = 'is not usable',
    raw = '',
    hint,
  }: { issue?: string | undefined; raw?: string | undefined; hint: string },
): string {
  const seen = raw.trim() === '' || issue.includes('invisible') ? [] : observe(raw);
  const aside = seen.length === 0 ? '' : ` (it ${seen.join(', ')})`;
  return `${name} ${issue}${aside}${hint ? `; ${hint}` : ''}`;
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null && !Buffer.isBuffer(inner))
      deepFreeze(inner as object);
  }
  return Object.freeze(value);
}
