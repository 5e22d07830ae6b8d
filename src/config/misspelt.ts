import { distance } from 'fastest-levenshtein';
import type { Observation } from './observations.js';
import { valueOf, type Environment } from './value-files.js';

/** What Kubernetes sets in every container for a Service called getbill. */
const SERVICE_LINK = /_(SERVICE|PORT)(_|$)/;

/**
 * Variables that nothing reads, each with a text for a person: those that begin with GETBILL_, and
 * those whose names are close to a variable that is not set.
 */
export function misspeltNames(env: Environment, known: readonly string[]): Observation[] {
  const read = new Set(known.flatMap((name) => [name, `${name}_FILE`]));
  const unset = known.filter((name) => !valueOf(name, env, () => 'a file'));
  return Object.keys(env).flatMap((name) => {
    const upper = name.toUpperCase();
    const isProxy = /^(no|https?)_proxy$/.test(name);
    if (read.has(name) || isProxy || SERVICE_LINK.test(upper) || !env[name]?.trim()) return [];
    const [, stem = upper, suffix = ''] = /^(.+)(_FILE)$/.exec(upper) ?? [];
    const meant =
      unset.find((one) => distance(stem, one) <= tolerance(one)) ??
      unset.find((one) => upper.startsWith('GETBILL_') && one.startsWith(`${stem}_`));
    if (meant === undefined && !upper.startsWith('GETBILL_')) return [];
    const advice =
      meant === undefined ? 'docs/configuration.md lists them' : `did you mean ${meant}${suffix}?`;
    const fix = `correct the name where ${name} is set, or unset it`;
    return [{ name, seen: `is not a variable of this app; ${advice}`, fix }];
  });
}

/** Short names, such as PORT, are close to too many names of other programs. */
const tolerance = ({ length }: string): number => Math.min(2, Math.floor(length / 6));
