import type { Values } from './variables.js';

export const REDIS_PLACES = ['REDIS_URL', 'REDIS_CLUSTER_NODES', 'REDIS_SENTINELS'] as const;
const WEBHOOKS = ['GETBILL_WEBHOOK_SECRET', 'GETBILL_WEBHOOK_ENDPOINTS'] as const;

type Name = keyof Values;

/** Variables that do nothing by themselves, each with those of which one must be set. */
const NEEDS: readonly [name: Name, needs: readonly Name[]][] = [
  ['REDIS_PASSWORD', REDIS_PLACES],
  ['REDIS_CA_FILE', REDIS_PLACES],
  ['REDIS_SENTINEL_USERNAME', ['REDIS_SENTINELS']],
  ['REDIS_SENTINEL_PASSWORD', ['REDIS_SENTINELS']],
  ['GETBILL_WEBHOOK_COMPANY', ['GETBILL_WEBHOOK_SECRET']],
  ['GETBILL_WEBHOOK_ID_FIELD', WEBHOOKS],
  ['GETBILL_WEBHOOK_TIME_FIELD', WEBHOOKS],
  ['GETBILL_WEBHOOK_REPLICAS', WEBHOOKS],
];

/** What somebody has set in vain, because they forgot or misspelt what it belongs to. */
export function settingsWithoutEffect(v: Partial<Values>): string[] {
  // One that is faulty is absent from `v`: it was set
  const isUnset = (name: Name): boolean => name in v && !isSet(v[name]);
  const inVain = NEEDS.filter(([name, needs]) => isSet(v[name]) && needs.every(isUnset));
  return inVain.map(([name, needs]) =>
    needs.length === 1
      ? `${name} is set, but ${needs.join('')} is not; set that, or unset this`
      : `${name} is set, but none of ${needs.join(', ')} is; set one of them, or unset this`,
  );
}

/** As opposed to what a variable is by default: nothing, an empty list or 0. */
const isSet = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== 0;
