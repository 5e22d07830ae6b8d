import type { Response } from 'express';
import { renewalDueAtMs } from '../core/oauth/token-set.js';
import type { TokenManager } from '../core/tokens/token-manager.js';
import { StorageError } from '../errors.js';
import { errorText } from './pages/error-texts.js';
import type { RenewalPause } from './pages/timeline-points.js';

export interface RenewalPauseDeps {
  readonly tokens: Pick<TokenManager, 'pauseOf'>;
  readonly marginMs: number;
  readonly now: () => number;
}

/** Why this session's token is not renewed although it is due, for a page that shows the connection. */
export async function renewalPause(
  res: Response,
  { tokens, marginMs, now }: RenewalPauseDeps,
): Promise<RenewalPause | undefined> {
  const { grantId, tokenSet } = res.locals;
  if (now() < renewalDueAtMs(tokenSet, marginMs)) return undefined;
  try {
    const pause = await tokens.pauseOf(grantId);
    if (pause === undefined) return undefined;
    const { code, status, retryAfterS = 0 } = pause;
    return { untilMs: now() + retryAfterS * 1000, why: errorText(code, status).title };
  } catch (error) {
    if (error instanceof StorageError) return undefined; // the page goes without
    throw error;
  }
}
