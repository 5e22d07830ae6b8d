import type { GetbillConfig } from '../../config/config.js';
import type { createOAuthClient } from '../../core/index.js';
import type { CompleteOptions } from '../../core/sign-in/sign-in.js';
import { AppError } from '../../errors.js';
import { exitCodeOf, exitCodes } from '../exit-codes.js';
import { reasonOf, StepFailed, type Step } from './steps.js';

type SignIn = ReturnType<typeof createOAuthClient>['signIn'];
/** Prints that a step has passed. */
export type Passed = (step: Step, detail: string) => void;

/** Steps 2 to 4, with what the browser brought back. @throws {StepFailed} the step of the error. */
export async function complete(
  signIn: SignIn,
  { binding, response }: CompleteOptions,
  getbill: GetbillConfig,
  passed: Passed,
) {
  function showAccepted(): void {
    passed('authorization', 'approved');
    passed('code', `${masked(response.get('code') ?? '')}, with our state`);
  }
  try {
    const completed = await signIn.complete({ binding, response });
    if (completed === undefined) throw anotherState();
    showAccepted();
    return completed;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const step = stepOf(error);
    if (step === 'exchange') showAccepted(); // else there was no code to exchange
    throw new StepFailed(step, { ...reasonOf(error, getbill), exitCode: exitCodeOf(error) });
  }
}

function stepOf({ code }: AppError): Step {
  if (code === 'callback_malformed') return 'code';
  return code.startsWith('authorization_') ? 'authorization' : 'exchange';
}

const anotherState = (): StepFailed =>
  new StepFailed('code', {
    cause: 'the callback carries a state that is not ours: it is of another sign-in, or was forged',
    fix: 'close old tabs, run this again and open the new URL',
    exitCode: exitCodes.refused,
  });

/** Enough to compare it with what the browser shows, and nothing to use. */
const masked = (code: string): string =>
  `code ${code.slice(0, 2)}${'•'.repeat(6)} (${code.length} characters)`;
