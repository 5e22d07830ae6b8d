import { boundedMap } from '../limits/bounded-map.js';
import { createCachedReads, type CachedReads } from './cached-reads.js';
import type { CompanyProfile } from './types.js';

const MAX_COMPANIES = 10_000;

/** Keeps a company profile per grant: all users share one quota, and a profile hardly changes. */
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
  const changes = boundedMap<number>({ max: MAX_COMPANIES, maxAgeMs: keptMs, now });
  const profiles: CachedReads<CompanyProfile> = createCachedReads({
    now,
    freshMs: keptMs,
    keptMs,
    changedAtMs: (grantId) => changes.get(profiles.last(grantId)?.id ?? ''),
  });
  return {
    async get(grantId, load) {
      const { value, failure } = await profiles.get(grantId, load);
      if (failure !== undefined) throw failure;
      return value;
    },
    forget: profiles.forget,
    forgetCompany: (companyId) => changes.set(companyId, now()),
  };
}
