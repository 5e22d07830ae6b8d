import type { Config } from '../../config/config.js';
import { loadConfig, readDotenv } from '../../config/load.js';
import { observeEnvironment, type Observation } from '../../config/observations.js';
import { variables } from '../../config/variables.js';
import { ConfigError } from '../../errors.js';
import { fail, pass, warn, type Result } from './check.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Every fault of the environment is a result of its own; there is a config only when there is none. */
export function examineConfiguration(env: Environment): {
  results: Result[];
  config: Config | undefined;
} {
  try {
    const config = loadConfig(env);
    const rules = config.production ? 'production rules' : 'development rules';
    const seen = observeEnvironment(env, Object.keys(variables), readDotenv());
    const results = [
      pass(`${rules}; the redirect URI agrees with PUBLIC_URL`),
      ...seen.map(explainObservation),
    ];
    return { results, config };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { results: error.problems.map(explainProblem), config: undefined };
  }
}

/** A problem is "NAME what is wrong; how to get it right". */
function explainProblem(problem: string): Result {
  const [cause = problem, ...hints] = problem.split('; ');
  const [name = ''] = problem.split(' ');
  const place = name === '.env' ? '' : ' in .env, or wherever the environment comes from';
  const change = `correct ${name.replace(/=.*/, '')}${place}`;
  return fail(cause, [change, ...hints].join('; '));
}

const explainObservation = ({ name, seen }: Observation): Result =>
  warn(
    `${name} ${seen}`,
    seen.includes('is not used')
      ? `unset ${name} or ${name}_FILE, whichever is old`
      : `if that is not part of the value, correct ${name}: docker --env-file keeps quotes, and a # in .env needs them`,
  );
