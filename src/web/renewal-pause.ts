import type { Response } from 'express';
import type { TokenManager } from '../core/tokens/token-manager.js';
import { StorageError } from '../errors.js';
import { errorText } from './pages/error-texts.js';
import type { RenewalPause } from './pages/timeline-points.js';

export interface RenewalPauseDeps {
  readonly tokens: Pick<TokenManager, 'pauseOf'>;
  readonly now: () => number;
}

/** Why this session's token is not renewed now, although it is due or was rejected. */
export async function renewalPause(
  res: Response,
  { tokens, now }: RenewalPauseDeps,
): Promise<RenewalPause | undefined> {
  try {
    const pause = await tokens.pauseOf(res.locals.grantId);
    if (pause === undefined) return undefined;
    const { code, status, retryAfterS = 0 } = pause;
    return { untilMs: now() + retryAfterS * 1000, why: errorText(code, status).title };
  } catch (error) {
    if (error instanceof StorageError) return undefined; // the page goes without
    throw error;
  }
}
