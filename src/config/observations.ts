import { statSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { splitList } from './lists.js';
import { fileOf, readTextFile, valueOf, type Environment } from './value-files.js';

/** A character that no screen shows, or that looks like an ordinary space and is none. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

/** The code point of the first invisible character, such as U+200B. */
export function invisibleCharacter(text: string): string | undefined {
  const [character] = INVISIBLE.exec(text) ?? [];
  const codePoint = character?.codePointAt(0);
  return codePoint === undefined
    ? undefined
    : `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Oddities of a value, without showing the value: quotes, invisible characters. */
export function observe(value: string): string[] {
  const text = value.trim();
  const seen: string[] = [];
  if (/^(["'`]).*\1$/su.test(text)) seen.push('begins and ends with a quote');
  else if (/^["'`]/u.test(text)) seen.push('begins with a quote');
  else if (/["'`]$/u.test(text)) seen.push('ends with a quote');
  if (value.startsWith('\uFEFF')) seen.push('begins with a byte order mark');
  if (/\r\n?$/.test(value)) seen.push('ends with a carriage return');
  else if (/^\s*\p{Zs}|\p{Zs}\s*$/u.test(value)) seen.push('begins or ends with a space');
  if (/[\r\n]/.test(text)) seen.push('has more than one line');
  const hidden = invisibleCharacter(text.replaceAll(/[\r\n]/g, ''));
  if (hidden !== undefined) seen.push(`contains an invisible character (${hidden})`);
  return seen;
}

const LISTS = ['GETBILL_CLIENT_SECRET', 'SESSION_SECRET', 'TOKEN_ENCRYPTION_KEY'];
const SECRETS = /SECRET|KEY|PASSWORD|TOKEN$|CLIENT_ID|REDIS_(URL|SENTINELS|CLUSTER_NODES)$/;

export interface Observation {
  readonly name: string;
  /** As in "holds 3 entries". */
  readonly seen: string;
  readonly fix: string;
}

/**
 * Values that were probably changed on their way into the environment: by `docker --env-file`,
 * which keeps quotes, or by a `#` in `.env`, which begins a comment. They may be right, so none is
 * a fault.
 * @param dotenv the text of `.env`, where there is one.
 */
export function observeEnvironment(
  env: Environment,
  names: readonly string[],
  dotenv = '',
): Observation[] {
  const cut = namesCutByComment(dotenv, env);
  return names.flatMap((name) => {
    const value = readValue(name, env);
    const file = fileOf(name, env);
    if (value.trim() === '') return file !== undefined && isRegular(file) ? [emptyFile(name)] : [];
    const isUnused = file !== undefined && Boolean(env[name]?.trim());
    const seen = [
      ...observe(file === undefined ? value : value.replace(/\r?\n$/, '')),
      ...(isUnused ? [`is not used, since ${name}_FILE is set`] : []),
      ...(value.trim().startsWith(`${name}=`) ? ['begins with its own name'] : []),
      ...(cut.has(name) ? ['is cut at a # in .env, which begins a comment there'] : []),
    ];
    if (seen.length === 0) return [];
    const fix = isUnused ? `unset ${name} or ${name}_FILE, whichever is old` : fixOfValue(name);
    return [{ name, seen: [...seen, ...measures(name, value)].join(', '), fix }];
  });
}

/** What helps to find the fault, and gives nothing away. */
function measures(name: string, value: string): string[] {
  const entries = LISTS.includes(name) ? splitList(value).length : 1;
  return [
    ...(entries > 1 ? [`holds ${entries} entries`] : []),
    ...(SECRETS.test(name) ? [`has ${value.trim().length} characters`] : []),
  ];
}

const emptyFile = (name: string): Observation => ({
  name,
  seen: 'is not set: its file is empty',
  fix: `write the value into the file, or unset ${name}_FILE`,
});

const fixOfValue = (name: string): string =>
  `if that is not part of the value, correct ${name}: docker --env-file keeps quotes, and a # in .env needs them`;

const isRegular = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** Reads only regular files: a pipe gives its text only once. */
function readValue(name: string, env: Environment): string {
  try {
    return valueOf(name, env, (path) => (isRegular(path) ? readTextFile(path) : '')) ?? '';
  } catch {
    return ''; // `parseConfig` reports it
  }
}

/** Variables whose unquoted value in `.env` holds a `#`, which Node reads as a comment. */
function namesCutByComment(dotenv: string, env: Environment): Set<string> {
  const values = parseEnv(dotenv);
  const lines = dotenv.matchAll(/^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*([^\s"'`#][^\r\n]*)$/gm);
  return new Set(
    Array.from(lines).flatMap(([, name = '', written = '']) => {
      const isCut = /[^\s]#/.test(written) && values[name] === written.split('#')[0]?.trim();
      return isCut && env[name] === values[name] ? [name] : [];
    }),
  );
}
