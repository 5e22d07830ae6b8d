import type { GetbillConfig } from '../../config/config.js';
import { SignInError, UnavailableError, type AppError } from '../../errors.js';
import { explanationOf } from '../../oauth-explanations.js';
import { explainConnection } from '../doctor/explain-connection.js';

/** As GetBill's guide counts them. */
export const STEPS = {
  authorizationUrl: '1. authorization URL',
  authorization: '2. authorization',
  code: '3. authorization code',
  exchange: '4. code exchange',
  call: '5. API call',
} as const;
export type Step = keyof typeof STEPS;

export interface Reason {
  readonly cause: string;
  readonly fix: string;
  readonly exitCode: number;
}

/** A step that failed, and why. */
export class StepFailed extends Error {
  readonly step: Step;
  readonly reason: Reason;

  constructor(
    step: Step,
    { cause = '', fix = '', exitCode }: Partial<Reason> & { exitCode: number },
  ) {
    super(cause);
    this.step = step;
    this.reason = { cause, fix: fix || 'see docs/doctor.md', exitCode };
  }
}

/** Why a sign-in failed, for the person who runs this app. */
export function reasonOf(
  error: AppError,
  { tokenUrl, timeoutMs }: GetbillConfig,
): { cause?: string; fix?: string } {
  const { code, serverSaid, message, hint } = error;
  const name = code.replace(/^authorization_/, '');
  const said = serverSaid === undefined ? '' : ` (GetBill said: ${serverSaid})`;
  const known = explanationOf(code);
  if (known !== undefined) return { cause: `${name}: ${known.cause}${said}`, fix: known.fix };
  if (error instanceof UnavailableError)
    return explainConnection(error, { url: tokenUrl, variable: 'GETBILL_TOKEN_URL', timeoutMs });
  const again = error instanceof SignInError ? ['run this again, and open the new URL once'] : [];
  const fix = [...(hint === undefined ? [] : [hint]), ...again].join('; ');
  return { cause: `${name}: ${message}${said}`, fix };
}
