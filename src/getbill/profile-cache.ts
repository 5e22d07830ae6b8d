import type { CompanyProfile } from './types.js';

const MOST = 10_000;

/** A company profile per grant, for a while: the quota is shared by all users, and a profile hardly changes. */
export interface ProfileCache {
  get(grantId: string, load: () => Promise<CompanyProfile>): Promise<CompanyProfile>;
  /** At sign-out. */
  readonly forget: (grantId: string) => void;
}

export function createProfileCache({ now, keptMs }: { now: () => number; keptMs: number }): ProfileCache {
  const cached = new Map<string, { profile: CompanyProfile; untilMs: number }>();
  return {
    async get(grantId, load) {
      const known = cached.get(grantId);
      if (known !== undefined && known.untilMs > now()) return known.profile;
      const profile = await load();
      cached.delete(grantId);
      cached.set(grantId, { profile, untilMs: now() + keptMs });
      const [oldest] = cached.keys();
      if (cached.size > MOST && oldest !== undefined) cached.delete(oldest);
      return profile;
    },
    forget: (grantId) => void cached.delete(grantId),
  };
}
