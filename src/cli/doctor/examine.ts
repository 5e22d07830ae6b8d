import { apiCheck } from './api.js';
import { authorizationCheck } from './authorization.js';
import { fail, type Check, type Finding, type CheckContext, type Result } from './check.js';
import { examineConfiguration } from './configuration.js';
import { connectionChecks } from './connection.js';
import { openContext, type ContextOptions } from './context.js';
import { credentialChecks } from './credentials.js';
import { deploymentChecks } from './deployment.js';
import { codeOf } from './explain-connection.js';
import { issuerCheck } from './issuer.js';
import { redisChecks } from './redis.js';
import { webhookDeliveryCheck, webhookInboxCheck } from './webhooks.js';
import { tokenUrlChecks } from './token-url.js';
import { useChecks } from './use.js';

/** In the order in which a fault of one would spoil the next. */
const CHECKS: readonly Check[] = [
  ...redisChecks,
  ...connectionChecks,
  ...tokenUrlChecks,
  ...credentialChecks,
  apiCheck,
  authorizationCheck,
  issuerCheck,
  ...deploymentChecks,
  ...useChecks,
  webhookInboxCheck,
  webhookDeliveryCheck,
];

export interface Examination extends ContextOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Yields each finding, then returns the checks left out. Signs nobody in. */
export async function* examine({
  env,
  ...options
}: Examination): AsyncGenerator<Finding, string[]> {
  const { results, config } = examineConfiguration(env);
  for (const result of results) yield { name: 'configuration', ...result };
  if (config === undefined) return CHECKS.map(({ name }) => name);

  const { context, close } = openContext(config, options);
  const stopped = new Set<string>();
  const leftOut: string[] = [];
  try {
    for (const check of CHECKS) {
      if (check.needs !== undefined && stopped.has(check.needs)) {
        stopped.add(check.name);
        if (check.setting === undefined || config.getbill[check.setting] !== undefined)
          leftOut.push(check.name);
        continue;
      }
      const result = await look(check, context);
      if (result?.verdict === 'fail') stopped.add(check.name);
      if (result !== undefined) yield { name: check.name, ...result };
    }
  } finally {
    await close();
  }
  return leftOut;
}

async function look(check: Check, context: CheckContext): Promise<Result | undefined> {
  try {
    return await check.examine(context);
  } catch (error) {
    return fail(
      `the check could not be finished (${(error as Error).name}, ${codeOf(error)})`,
      'run it again; if it stays, report this line',
    );
  }
}
