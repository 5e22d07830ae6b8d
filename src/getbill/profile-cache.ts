import { boundedMap } from '../core/bounded-map.js';
import type { CompanyProfile } from './types.js';

const MAX_PROFILES = 10_000;

/** A company profile per grant, for a while: the quota is shared by all users, and a profile hardly changes. */
export interface ProfileCache {
  get(grantId: string, load: () => Promise<CompanyProfile>): Promise<CompanyProfile>;
  /** At sign-out. */
  readonly forget: (grantId: string) => void;
}

export function createProfileCache({ now, keptMs }: { now: () => number; keptMs: number }): ProfileCache {
  const profiles = boundedMap<CompanyProfile>({ max: MAX_PROFILES, maxAgeMs: keptMs, now });
  // a session that ended elsewhere asks no more, so what is too old goes by itself
  const sweepLater = (): void => void setTimeout(() => profiles.sweep(), keptMs + 1).unref();
  return {
    async get(grantId, load) {
      const known = profiles.get(grantId);
      if (known !== undefined) return known;
      const profile = await load();
      profiles.set(grantId, profile);
      if (profiles.size > 0) sweepLater();
      return profile;
    },
    forget: (grantId) => profiles.delete(grantId),
  };
}
