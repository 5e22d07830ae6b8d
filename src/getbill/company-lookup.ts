import { boundedMap } from '../limits/bounded-map.js';
import { singleFlight } from '../limits/single-flight.js';
import { AppError } from '../errors.js';
import type { ApiResponse } from './api-response.js';
import { endpoints, type Endpoint } from './endpoints.js';
import type { Access, ApiCall, Visitor } from './api-call.js';
import type { GrantFacts } from './grant-facts.js';
import type { Quota } from './quota.js';

const MAX_GRANTS = 10_000;
const ASK_EVERY_MS = 60_000;

/** The one endpoint that says whose grant it is. */
export const PROFILE = endpoints.find(({ path }) => path === '/company/profile') as Endpoint;

/**
 * Asks GetBill for the company of a grant: one call for all that wait for it, after a failure none
 * for a minute. `undefined`: it may not be read, or is not known now.
 */
export function createCompanyLookup({
  send,
  quota,
  facts,
  now,
}: {
  /** Sends a call, and learns from its response what `facts` then knows. */
  send: (call: ApiCall, access: Access, visitor: Visitor) => Promise<ApiResponse>;
  quota: Pick<Quota, 'admit'>;
  facts: Pick<GrantFacts, 'read'>;
  now: () => number;
}) {
  const askedAtMs = boundedMap<number>({ max: MAX_GRANTS });
  const once = singleFlight<string | undefined>();

  async function readCompany({ requestId, caller }: ApiCall, access: Access, visitor: Visitor) {
    try {
      await quota.admit('read', 'page');
      const call: ApiCall = { endpoint: PROFILE, path: PROFILE.path, query: '', requestId, caller };
      const { body } = await send(call, access, visitor);
      if (!Buffer.isBuffer(body)) body.destroy();
      return (await facts.read(visitor.grantId)).company;
    } catch (error) {
      if (error instanceof AppError) return undefined;
      throw error;
    }
  }

  return async function lookUpCompany(
    call: ApiCall,
    access: Access,
    visitor: Visitor,
  ): Promise<string | undefined> {
    const { grantId, mayReadCompany } = visitor;
    return await once(grantId, async () => {
      const askedAgoMs = now() - (askedAtMs.get(grantId) ?? -Infinity);
      if (!mayReadCompany || (askedAgoMs >= 0 && askedAgoMs < ASK_EVERY_MS)) return undefined;
      askedAtMs.set(grantId, now());
      return await readCompany(call, access, visitor);
    });
  };
}
