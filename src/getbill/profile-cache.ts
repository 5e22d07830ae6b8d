import { boundedMap } from '../limits/bounded-map.js';
import type { CompanyProfile } from './types.js';

const MAX_PROFILES = 10_000;

/** A company profile per grant, for a while: the quota is shared by all users, and a profile hardly changes. */
export interface ProfileCache {
  get(grantId: string, load: () => Promise<CompanyProfile>): Promise<CompanyProfile>;
  /** At sign-out. */
  readonly forget: (grantId: string) => void;
  /** Something of this company has changed: what was read before is read again. */
  readonly forgetCompany: (companyId: string) => void;
}

export function createProfileCache({
  now,
  keptMs,
}: {
  now: () => number;
  keptMs: number;
}): ProfileCache {
  const profiles = boundedMap<{ profile: CompanyProfile; askedAtMs: number }>({
    max: MAX_PROFILES,
    maxAgeMs: keptMs,
    now,
  });
  const changedAtMs = boundedMap<number>({ max: MAX_PROFILES, maxAgeMs: keptMs, now });
  const isStale = ({
    profile,
    askedAtMs,
  }: {
    profile: CompanyProfile;
    askedAtMs: number;
  }): boolean => askedAtMs <= (changedAtMs.get(profile.id) ?? -Infinity);
  // a session that ended elsewhere asks no more, so what is too old goes by itself
  const sweepLater = (): void => void setTimeout(() => profiles.sweep(), keptMs + 1).unref();
  return {
    async get(grantId, load) {
      const known = profiles.get(grantId);
      if (known !== undefined && !isStale(known)) return known.profile;
      const askedAtMs = now();
      const profile = await load();
      profiles.set(grantId, { profile, askedAtMs });
      if (profiles.size > 0) sweepLater();
      return profile;
    },
    forget: (grantId) => profiles.delete(grantId),
    forgetCompany: (companyId) => changedAtMs.set(companyId, now()),
  };
}
