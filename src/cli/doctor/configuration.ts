import type { Config } from '../../config/config.js';
import { loadConfig, suspicions } from '../../config/load.js';
import { ConfigError } from '../../errors.js';
import { fail, pass, warn, type Result } from './check.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Every fault of the environment is a result of its own; there is a config only when there is none.
 */
export function examineConfiguration(env: Environment): {
  results: Result[];
  config: Config | undefined;
} {
  try {
    const config = loadConfig(env);
    if (config.publicUrl.port === '0') {
      return {
        results: [
          fail(
            'PORT is 0 and PUBLIC_URL is not set: no browser finds the app, and GetBill no redirect URI',
            'set PORT to a free port, or PUBLIC_URL to the origin that browsers see',
          ),
        ],
        config: undefined,
      };
    }
    const rules = config.production ? 'production rules' : 'development rules';
    const results = [
      pass(`${rules}; the redirect URI agrees with PUBLIC_URL`),
      ...suspicions(env).map(({ name, seen, fix }) => warn(`${name} ${seen}`, fix)),
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
  const verb = cause.endsWith('is not set') ? 'set' : 'correct';
  const change = `${verb} ${name.replace(/=.*/, '')}${place}`;
  return fail(cause, [change, ...hints].join('; '));
}
