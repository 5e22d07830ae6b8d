import { GrantRefusedError } from '../../../src/errors.js';
import type { AppEvent } from '../../../src/events.js';
import type { TokenSet } from '../../../src/core/oauth/token-set.js';
import { newCall, unknownGrant, type Call, type GrantFacts } from './facts.js';
import { openRecord } from './model-cipher.js';
import type { Host } from './scheduler.js';

const NOTE_LIVES_MS = 500_000;

/** A process writes instants by its own clock. */
const byTrueTime = (tokenSet: TokenSet, { clockErrorMs }: Host): TokenSet => ({
  ...tokenSet,
  issuedAtMs: tokenSet.issuedAtMs - clockErrorMs,
  expiresAtMs: tokenSet.expiresAtMs - clockErrorMs,
});

export type Witness = ReturnType<typeof createWitness>;

/** Looks at the run from outside and objects the moment an invariant is broken. */
export function createWitness({
  now,
  leaseMs,
  timeoutMs,
}: {
  now: () => number;
  leaseMs: number;
  timeoutMs: number;
}) {
  const violations: string[] = [];
  const facts = new Map<string, GrantFacts>();
  const leaseEnds = new Map<string, number>();
  const revoked = new Set<string>();

  const object = (rule: string, detail: string): void =>
    void violations.push(`${rule} [${now()} ms] ${detail}`);

  function of(grantId: string): GrantFacts {
    const known = facts.get(grantId);
    if (known !== undefined) return known;
    const unknown = unknownGrant();
    facts.set(grantId, unknown);
    return unknown;
  }

  const outlived = (call: Call): boolean => now() > call.leaseEndsAtMs;
  const unwritten = (call: Call): boolean => call.writtenAtMs === Infinity;
  /** Nobody but a process that has lost its lease, or its life, makes this call. */
  const beyondHelp = (call: Call): boolean => call.failed || !call.host.alive || outlived(call);
  /** Its result did not reach the record while the lease kept others away. */
  const lost = (call: Call): boolean =>
    unwritten(call) ? beyondHelp(call) : call.writtenAtMs > call.leaseEndsAtMs;

  function deleted(host: Host, name: string, grant: GrantFacts, old: TokenSet | undefined): void {
    const bySignOut = name === 'take' && grant.signOutTried;
    const byRefusal = grant.refused.some(
      (call) =>
        call.host === host &&
        call.refreshToken === old?.refreshToken &&
        grant.recordWrittenAtMs <= call.madeAtMs,
    );
    if (!bySignOut && !(name === 'compareAndDelete' && byRefusal))
      object('(b) deleted', `${old?.accessToken ?? ''} by ${name} of ${host.name}`);
  }

  return {
    violations,
    object,
    of,
    wasRevoked: (token: string): boolean => revoked.has(token),
    revokeTried: (token: string): void => void revoked.add(token),
    leaseGranted: (host: Host, grantId: string): void =>
      void leaseEnds.set(host.name + grantId, now() + leaseMs),
    leaseReleased(host: Host, grantId: string): void {
      for (const call of of(grantId).calls) call.over ||= call.host === host;
    },
    endedByReuse(call: Call, first: Call): void {
      if (now() - first.madeAtMs < NOTE_LIVES_MS) of(call.grantId).endedBy = call;
    },
    storageFault(kind: string | undefined, grantId: string): void {
      if (kind === 'grant') of(grantId).disturbed = true;
      if (kind === 'attempt') of(grantId).notesDisturbed = true;
    },
    died(host: Host): void {
      for (const grant of facts.values()) {
        grant.disturbed = true;
        grant.excused ||= grant.calls.some(
          (call) => call.host === host && unwritten(call) && !call.failed,
        );
      }
    },
    callMade(host: Host, grantId: string, refreshToken: string): Call {
      const leaseEndsAtMs = leaseEnds.get(host.name + grantId);
      if (leaseEndsAtMs === undefined)
        object('(a) no lease', `${host.name} spends ${refreshToken}`);
      else if (leaseEndsAtMs - now() < timeoutMs)
        object('(a) too little of the lease left', `${host.name} spends ${refreshToken}`);
      return newCall({
        host,
        grantId,
        refreshToken,
        madeAtMs: now(),
        leaseEndsAtMs: leaseEndsAtMs ?? 0,
      });
    },
    callArrived(call: Call): void {
      const grant = of(call.grantId);
      const rival = grant.calls.find(
        (other) => unwritten(other) && !other.over && !beyondHelp(other),
      );
      if (beyondHelp(call)) grant.excused = true;
      else if (rival !== undefined)
        object(
          '(a) two calls at once',
          `${rival.host.name} and ${call.host.name} spend ${call.refreshToken}`,
        );
      grant.calls.push(call);
    },
    tokenReused(call: Call, first: Call): void {
      of(call.grantId).excused ||= lost(first);
      if (!beyondHelp(call) && !lost(first))
        object(
          '(a) spent twice',
          `${call.refreshToken} by ${first.host.name} and ${call.host.name}`,
        );
    },
    callRefused: (call: Call): void => void of(call.grantId).refused.push(call),
    callFailed(call: Call, error: unknown): void {
      call.failed = true;
      call.refusalHeard = error instanceof GrantRefusedError;
      if (call.issued !== undefined) of(call.grantId).excused = true;
    },
    /** After every command on a record. */
    recordCommand(
      host: Host,
      grantId: string,
      {
        name,
        before,
        after,
      }: { name: string; before: string | undefined; after: string | undefined },
    ): void {
      // prettier-ignore
      if (before === after) return;
      const grant = of(grantId);
      const old = grant.record;
      grant.record = after === undefined ? undefined : byTrueTime(openRecord(after), host);
      if (after === undefined) return deleted(host, name, grant, old);
      if (grant.established && before === undefined)
        object('(c) revived', `${grantId} by ${name} of ${host.name}`);
      if (grant.established && name === 'set')
        object('(b) overwritten', `${grantId} by ${host.name}`);
      grant.established = true;
      grant.recordWrittenAtMs = now();
      const call = grant.calls.find(
        ({ issued }) => issued?.access_token === grant.record?.accessToken,
      );
      if (call !== undefined) call.writtenAtMs = Math.min(call.writtenAtMs, now());
    },
    event(host: Host, event: AppEvent): void {
      if (event.type !== 'session_ended' || event.reason === 'signed_out') return;
      const { refused: calls, endedBy, notesDisturbed } = of(event.grant);
      const refused = calls.some((call) => call.host === host);
      if (!refused) object('(f) ended', `${event.grant} by ${host.name}: ${event.reason}`);
      const explained = event.reason === 'answer_lost' || notesDisturbed;
      const knowable =
        endedBy?.host.alive === true &&
        endedBy.refusalHeard &&
        now() - endedBy.madeAtMs < NOTE_LIVES_MS;
      if (knowable && !explained) object('(j) not explained', `${event.grant} by ${host.name}`);
    },
  };
}
