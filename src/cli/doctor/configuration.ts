import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseConfig, type Config } from '../../config/config.js';
import { ConfigError } from '../../errors.js';
import { fail, pass, type Result } from './check.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Every fault of the environment is a result of its own; there is a config only when there is none. */
export function examineConfiguration(env: Environment): { results: Result[]; config: Config | undefined } {
  try {
    const config = parseConfig(env);
    const faults = [
      ...caFileFaults('GETBILL_CA_FILE', config.getbill.caFile),
      ...caFileFaults('REDIS_CA_FILE', config.redis?.caFile),
    ];
    if (faults.length > 0) return { results: faults, config: undefined };
    const rules = config.production ? 'production rules' : 'development rules';
    return { results: [pass(`${rules}; the redirect URI agrees with PUBLIC_URL`)], config };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { results: error.problems.map(explainProblem), config: undefined };
  }
}

/** A problem is "NAME what is wrong; how to get it right". */
function explainProblem(problem: string): Result {
  const [cause = problem, ...hints] = problem.split('; ');
  const [name = ''] = problem.split(' ');
  const change = `correct ${name.replace(/=.*/, '')} in .env, or wherever the environment comes from`;
  return fail(cause, [change, ...hints].join('; '));
}

function caFileFaults(name: string, file: string | undefined): Result[] {
  if (file === undefined) return [];
  try {
    void new X509Certificate(readFileSync(file));
    return [];
  } catch {
    return [
      fail(`${name} names a file that is no readable PEM certificate`, `let ${name} name the PEM file of the CA`),
    ];
  }
}
