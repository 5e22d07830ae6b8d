import { AppError, UnavailableError } from '../../core/errors.js';
import type { RenewalRun } from '../../tracing.js';
import { WHY_RENEWED } from '../notes.js';
import { newStory, type Context } from './context.js';
import { ignored, type StepWriter } from './step-writer.js';

/**
 * The decisions about a renewal: to be subscribed to
 * `channels.renewal`, each run in a context of its own.
 */
export function recordRenewals(
  { contexts, note, inContext }: StepWriter,
  { fingerprint }: { fingerprint: (id: string) => string },
) {
  /** A renewal before the token ends holds up nobody: it is a story of its own. */
  function contextOfRenewal({ trigger }: RenewalRun): Context | undefined {
    const context = contexts.getStore();
    if (context === undefined) return undefined;
    const renewal = { hasCalled: false, hasExplained: false, hasAskedForLease: false };
    return { ...context, renewal, ...(trigger === 'margin' && { story: newStory() }) };
  }

  const startRenewal = inContext<RenewalRun>(({ grantId, trigger }, context) => {
    const title =
      trigger === 'margin'
        ? 'Renewal in the background'
        : trigger === 'expired'
          ? 'Renewal: the access token had expired'
          : 'Renewal: the API rejected the access token';
    note(context, {
      title,
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
