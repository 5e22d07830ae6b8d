import type { Consumption, SharedLimits } from '../limits/shared-limits.js';
import type { LimitClass } from './endpoints.js';
import { ignoreStorage, type Quota } from './quota.js';

/** A quarter of GetBill's limit for each company. */
export const shareOfLimit = (most: number): number => Math.max(1, Math.floor(most / 4));

export type Shares = ReturnType<typeof createShares>;

/** Shares of GetBill's limit, spent call by call, each under the name of its owner. */
export function createShares({
  quota,
  limits,
  localLimits,
}: {
  quota: Pick<Quota, 'limit'>;
  limits: SharedLimits;
  /** Of this process alone: a storage that cannot count stops neither pages nor the counting. */
  localLimits: SharedLimits;
}) {
  const shareOf = (limitClass: LimitClass) => {
    const limit = quota.limit(limitClass);
    return limit && { most: shareOfLimit(limit.most), windowMs: limit.windowMs };
  };
  const nameOf = (limitClass: LimitClass, owner: string): string => `${limitClass}:${owner}`;

  return {
    /** `undefined`: GetBill says no limit. */
    async consume(limitClass: LimitClass, owner: string): Promise<Consumption | undefined> {
      const share = shareOf(limitClass);
      if (share === undefined) return undefined;
      const name = nameOf(limitClass, owner);
      try {
        return await limits.consume('share', name, share);
      } catch (error) {
        ignoreStorage(error);
        return await localLimits.consume('share', name, share);
      }
    },
    /** For calls that were let through before their owner was known. */
    async charge(limitClass: LimitClass, owner: string, calls: number): Promise<void> {
      const share = shareOf(limitClass);
      const name = nameOf(limitClass, owner);
      if (share !== undefined)
        await limits.charge('share', name, share, calls).catch(ignoreStorage);
    },
  };
}
