import { hash } from 'node:crypto';
import { defaultClientId, defaultClientSecret, type Sandbox } from '../../../sandbox/sandbox.js';
import type { Finding } from '../../../src/cli/doctor/check.js';
import { examine, type Examination } from '../../../src/cli/doctor/examine.js';

export type Env = Record<string, string>;

/** Must never be seen in a finding. */
const SECRETS: Env = {
  GETBILL_CLIENT_SECRET: defaultClientSecret,
  SESSION_SECRET: 'CANARY-session-secret-0123456789abcdef',
  TOKEN_ENCRYPTION_KEY: hash('sha256', 'the key of the tests', 'base64'),
};

/** Complete and right for this sandbox. */
export const healthy = ({ origin }: Pick<Sandbox, 'origin'>): Env => ({
  ...SECRETS,
  GETBILL_BASE_URL: origin,
  GETBILL_CLIENT_ID: defaultClientId,
  GETBILL_SCOPES: 'company:read debts:read',
  GETBILL_TIMEOUT_MS: '2000',
});

export interface DoctorRun {
  findings: Finding[];
  leftOut: string[];
  /** The finding of a check; of several (configuration) the worst. */
  line: (name: string) => Finding | undefined;
  /** Names of the checks that failed. */
  failed: () => string[];
}

/** What the doctor says, as `npm run doctor` would. @throws {Error} it shows a secret. */
export async function runDoctor(
  env: Env,
  options: Partial<Pick<Examination, 'url' | 'urlCaFile' | 'now'>> = {},
): Promise<DoctorRun> {
  const findings: Finding[] = [];
  const looking = examine({ env, now: Date.now, monotonicMs: () => performance.now(), ...options });
  let step = await looking.next();
  for (; !step.done; step = await looking.next()) findings.push(step.value);

  const text = JSON.stringify(findings);
  const shown = [...Object.values(SECRETS), 'CANARY'].filter((secret) => text.includes(secret));
  if (shown.length > 0) throw new Error(`the doctor shows a secret: ${shown.join(', ')}`);
  const order = ['fail', 'warn', 'pass'];
  return {
    findings,
    leftOut: step.value,
    line: (name) =>
      findings
        .filter((finding) => finding.name === name)
        .sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))[0],
    failed: () => findings.filter(({ verdict }) => verdict === 'fail').map(({ name }) => name),
  };
}

/** What somebody does who follows the fix to the letter: every NAME=value of it. */
export function followed({ fix = '' }: Finding): Env {
  const settings = [...fix.matchAll(/\b([A-Z][A-Z_]+)=(?:"([^"]*)"|([^\s,;)]+))/g)];
  return Object.fromEntries(
    settings.map(([, name = '', quoted, bare = '']) => [name, quoted ?? bare]),
  );
}
