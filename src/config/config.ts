import { readFileSync } from 'node:fs';
import { ConfigError } from '../errors.js';
import { configFrom, type Environment } from './from-values.js';
import { invariantProblems } from './invariants.js';
import { observe } from './observations.js';
import type { Config } from './types.js';
import { variables, type Values } from './variables.js';

export type * from './types.js';

/**
 * @param readFile for `*_FILE` variables, which name a file that holds the value.
 * @throws {ConfigError} with every fault at once, by name and never by value.
 */
export function parseConfig(
  env: Environment,
  readFile = (path: string) => readFileSync(path, 'utf8'),
): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema, hint }] of Object.entries(variables)) {
    const raw = rawOf(name);
    const result = schema.safeParse(raw?.trim() || undefined);
    if (result.success) values[name] = result.data;
    else problems.push(problemText(name, { issue: result.error.issues[0]?.message, raw, hint }));
  }
  problems.push(...invariantProblems(values, env));
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(configFrom(values as Values, env));

  function valueOf(name: string): string | undefined {
    const lowerCase = EITHER_CASE.has(name) ? env[name.toLowerCase()] : undefined;
    return lowerCase ?? env[name];
  }

  function rawOf(name: string): string | undefined {
    const file = env[`${name}_FILE`]?.trim();
    if (file === undefined || file === '') return valueOf(name);
    try {
      return readFile(file);
    } catch {
      problems.push(`${name}_FILE names a file that cannot be read`);
      return undefined;
    }
  }
}

/** Written in lower case on most machines; that spelling comes first, as in curl and undici. */
const EITHER_CASE = new Set(['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']);

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
