import type { CompanyProfile } from './types.js';

const CACHED_MS = 60_000;
const MOST = 10_000;

/** A company profile per grant, for a minute: the quota is shared by all users, and a profile hardly changes. */
export interface ProfileCache {
  get(grantId: string, load: () => Promise<CompanyProfile>): Promise<CompanyProfile>;
  /** At sign-out. */
  readonly forget: (grantId: string) => void;
}

export function createProfileCache({ now }: { now: () => number }): ProfileCache {
  const cached = new Map<string, { profile: CompanyProfile; untilMs: number }>();
  return {
    async get(grantId, load) {
      const known = cached.get(grantId);
      if (known !== undefined && known.untilMs > now()) return known.profile;
      const profile = await load();
      cached.delete(grantId);
      cached.set(grantId, { profile, untilMs: now() + CACHED_MS });
      const [oldest] = cached.keys();
      if (cached.size > MOST && oldest !== undefined) cached.delete(oldest);
      return profile;
    },
    forget: (grantId) => void cached.delete(grantId),
  };
}
