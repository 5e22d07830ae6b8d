import { AppError, UnavailableError } from '../../core/errors.js';
import type { RenewalRun } from '../../tracing.js';
import { WHY_RENEWED } from '../notes.js';
import { newStory, type Place } from './place.js';
import { ignored, type StepWriter } from './step-writer.js';

/** The decisions about a renewal: to be subscribed to `channels.renewal`, each run in a place of its own. */
export function recordRenewals(
  { places, note, inPlace }: StepWriter,
  { fingerprint }: { fingerprint: (id: string) => string },
) {
  /** A renewal before the token ends holds up nobody: it is a story of its own. */
  function placeOfRenewal({ trigger }: RenewalRun): Place | undefined {
    const place = places.getStore();
    if (place === undefined) return undefined;
    const renewal = { asked: false, explained: false, leaseAsked: false };
    return { ...place, renewal, ...(trigger === 'margin' && { story: newStory() }) };
  }

  const startRenewal = inPlace<RenewalRun>(({ grantId, trigger }, place) => {
    const title =
      trigger === 'margin'
        ? 'Renewal in the background'
        : trigger === 'expired'
          ? 'Renewal: the access token had expired'
          : 'Renewal: the API rejected the access token';
    note(place, {
      title,
      topic: 'renewal',
      outcome: 'neutral',
      details: [
        ['because', WHY_RENEWED[trigger]],
        ['grant (keyed hash)', fingerprint(grantId)],
      ],
    });
  });

  const failRenewal = inPlace<RenewalRun & { error?: unknown }>(({ error }, place) => {
    const { renewal } = place;
    if (renewal === undefined || renewal.asked || renewal.explained) return;
    if (!(error instanceof AppError)) return;
    const more = error.retryAfterS === undefined ? '' : ` for ${error.retryAfterS} s more`;
    const isPaused = error instanceof UnavailableError; // any other one has called, or has its note
    const why = isPaused ? 'renewals are paused' : error.message;
    note(place, {
      title: `Not asked: ${why}${more}`,
      topic: isPaused ? 'not_asked' : 'pause',
      outcome: 'failed',
      details: [['reason', error.code]],
    });
  });

  return { placeOfRenewal, reader: { ...ignored, start: startRenewal, error: failRenewal } };
}
