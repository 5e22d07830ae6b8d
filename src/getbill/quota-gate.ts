import { RequestError } from '../errors.js';
import type { Emit } from '../events.js';
import { boundedMap } from '../limits/bounded-map.js';
import type { ApiResponse } from './api-response.js';
import { limitClassOf, type LimitClass } from './endpoints.js';
import { createCompanyLookup, PROFILE } from './company-lookup.js';
import type { Access, ApiCall, Forward, Visitor } from './api-call.js';
import { ownerOf, type GrantFacts } from './grant-facts.js';
import type { Quota } from './quota.js';
import type { Shares } from './shares.js';
import { fieldOf, textOf } from './values.js';

/** All sessions together whose company is not known yet. */
const UNKNOWN = 'unknown';
const MAX_GRANTS = 10_000;

/**
 * The gate that every call to the GetBill API passes, whoever makes it: a page, `/api`, a job. A
 * person's calls spend the share of GetBill's limit that belongs to their company, so that another
 * sign-in brings no other share. While the company is not known, all such calls spend one common
 * share; when that is used up, GetBill is asked for the company, and what the session has called so
 * far is charged to it. A company that may not be read is told apart by the client's address.
 */
export function createQuotaGate({
  forward,
  quota,
  shares,
  facts,
  emit,
  now,
}: {
  forward: Forward;
  quota: Quota;
  shares: Shares;
  facts: GrantFacts;
  emit: Emit;
  now: () => number;
}): Forward {
  const uncharged = boundedMap<Record<LimitClass, number>>({ max: MAX_GRANTS });
  const lookUpCompany = createCompanyLookup({ send, quota, facts, now });

  function chargeLater(grantId: string, limitClass: LimitClass): void {
    const calls = uncharged.get(grantId) ?? { read: 0, write: 0 };
    uncharged.set(grantId, { ...calls, [limitClass]: calls[limitClass] + 1 });
  }

  async function chargeEarlierCalls(grantId: string, owner: string): Promise<void> {
    const calls = uncharged.get(grantId);
    if (calls === undefined) return;
    uncharged.delete(grantId);
    for (const limitClass of ['read', 'write'] as const)
      await shares.charge(limitClass, owner, calls[limitClass]);
  }

  /** Returns whose share it was. @throws {RequestError} 429: the share is used up. */
  async function spend(call: ApiCall, access: Access, visitor: Visitor): Promise<string> {
    const limitClass = limitClassOf(call.endpoint);
    const { grantId } = visitor;
    // As large as a company's share: a session that has used it up is refused without asking
    // GetBill for its company
    const ofSession = await shares.consume(limitClass, `session:${grantId}`);
    if (ofSession?.granted === false) throw shareUsed(ofSession.resetInMs);
    let { company } = await facts.read(grantId);
    if (company === undefined) {
      const ofUnknown = await shares.consume(limitClass, UNKNOWN);
      if (ofUnknown?.granted !== false) {
        chargeLater(grantId, limitClass);
        return ownerOf(visitor.address, undefined);
      }
      company = await lookUpCompany(call, access, visitor);
    }
    const owner = ownerOf(visitor.address, company);
    await chargeEarlierCalls(grantId, owner);
    const ofOwner = await shares.consume(limitClass, owner);
    if (ofOwner?.granted === false) throw shareUsed(ofOwner.resetInMs);
    return owner;
  }

  function shareUsed(resetInMs: number): RequestError {
    emit({ type: 'rate_limited', limit: 'share' });
    return new RequestError("this company has used its share of GetBill's limit", {
      code: 'getbill_share_used',
      status: 429,
      retryAfterS: Math.max(1, Math.ceil(resetInMs / 1000)),
    });
  }

  /** The call itself, and what its response says about the grant. */
  async function send(call: ApiCall, access: Access, visitor: Visitor): Promise<ApiResponse> {
    const response = await forward(call, access);
    const { status, json, challenge } = response;
    const { scope } = call.endpoint;
    if (call.endpoint === PROFILE && status === 200)
      await facts.learnCompany(visitor.grantId, json);
    if (status === 403 && lacksScope(json, scope, challenge))
      await visitor.learnMissingScope(scope);
    return response;
  }

  return async function gatedForward(call, access) {
    await quota.admit(limitClassOf(call.endpoint), call.caller);
    const { visitor } = access;
    if (visitor === undefined) return await forward(call, access);
    const owner = await spend(call, access, visitor);
    return await send(call, { ...access, owner }, visitor);
  };
}

/**
 * `Required scope "debts:read" not found in token`, as GetBill writes it, in any quotes; or the
 * code of RFC 6750 section 3.1, in the body or the header. Another 403 is about one debt, not the
 * grant.
 */
function lacksScope(json: unknown, scope: string, challenge = ''): boolean {
  if (fieldOf(json, 'error') === 'insufficient_scope') return true;
  if (/\berror="?insufficient_scope\b/i.test(challenge)) return true;
  const message = textOf(fieldOf(json, 'message')) ?? '';
  return /\bscopes?\b/i.test(message) && message.split(/[^\w:]+/).includes(scope);
}
