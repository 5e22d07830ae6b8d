import { AppError, UnavailableError } from '../../core/errors.js';
import type { RenewalRun } from '../../tracing.js';
import { WHY_RENEWED } from '../notes.js';
import { newStory, type Context } from './context.js';
import { ignored, type StepWriter } from './step-writer.js';

/** The decisions about a renewal, for `channels.renewal`; each run has a context of its own. */
export function recordRenewals(
  { contexts, note, inContext }: StepWriter,
  { fingerprint }: { fingerprint: (id: string) => string },
) {
  /** A renewal in the margin before the expiry delays nobody, so it is a story of its own. */
  function contextOfRenewal({ trigger }: RenewalRun): Context | undefined {
    const context = contexts.getStore();
    if (context === undefined) return undefined;
    const renewal = { hasCalled: false, hasExplained: false, hasAskedForLease: false };
    return { ...context, renewal, ...(trigger === 'margin' && { story: newStory() }) };
  }

  const startRenewal = inContext<RenewalRun>(({ grantId, trigger }, context) => {
    note(context, {
      title: TITLES[trigger],
      topic: 'renewal',
      outcome: 'neutral',
      details: [
        ['because', WHY_RENEWED[trigger]],
        ['grant (keyed hash)', fingerprint(grantId)],
      ],
    });
  });

  const failRenewal = inContext<RenewalRun & { error?: unknown }>(({ error }, context) => {
    const { renewal } = context;
    if (renewal === undefined || renewal.hasCalled || renewal.hasExplained) return;
    if (!(error instanceof AppError)) return;
    const more = error.retryAfterS === undefined ? '' : ` for ${error.retryAfterS} s more`;
    const isPaused = error instanceof UnavailableError; // any other one has called, or has its note
    const why = isPaused ? 'renewals are paused' : error.message;
    note(context, {
      title: `Not asked: ${why}${more}`,
      topic: isPaused ? 'not_asked' : 'pause',
      outcome: 'failed',
      details: [['reason', error.code]],
    });
  });

  return { contextOfRenewal, reader: { ...ignored, start: startRenewal, error: failRenewal } };
}

const TITLES = {
  margin: 'Renewal in the background',
  expired: 'Renewal: the access token had expired',
  rejected: 'Renewal: the API rejected the access token',
} as const;
