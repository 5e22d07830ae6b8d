import type { TokenEndpointResponse, TokenSet } from '../../src/oauth/token-set.js';
import { openRecord } from './model-cipher.js';
import type { Host } from './scheduler.js';

/** One use of a refresh token, from the decision to call until its answer is on record. */
export interface Call {
  readonly host: Host;
  readonly grantId: string;
  readonly refreshToken: string;
  readonly madeAtMs: number;
  readonly leaseEndsAtMs: number;
  arrived: boolean;
  /** No usable answer reached the process: cut, too late, refused. */
  failed: boolean;
  response: TokenEndpointResponse | undefined;
  receivedAtMs: number;
  writtenAtMs: number;
}

export interface GrantFacts {
  readonly grantId: string;
  readonly calls: Call[];
  readonly refused: Call[];
  record: TokenSet | undefined;
  recordWrittenAtMs: number;
  established: boolean;
  signOutTried: boolean;
  signedOut: boolean;
  /** A crash, an overrun lease or a lost answer: after one of these strict rotation may end the grant. */
  excused: boolean;
  /** A storage command about this record did not end as asked for. */
  storageFault: boolean;
}

export type Witness = ReturnType<typeof createWitness>;

/** Looks at the run from outside, knows the truth, and objects the moment an invariant is broken. */
export function createWitness({ now, leaseMs }: { now: () => number; leaseMs: number }) {
  const violations: string[] = [];
  const facts = new Map<string, GrantFacts>();
  const leaseEnds = new Map<string, number>();
  const revoked = new Set<string>();

  const object = (rule: string, detail: string): void => void violations.push(`${rule} [${now()} ms] ${detail}`);

  function of(grantId: string): GrantFacts {
    const known = facts.get(grantId) ?? {
      grantId,
      calls: [],
      refused: [],
      record: undefined,
      recordWrittenAtMs: 0,
      established: false,
      signOutTried: false,
      signedOut: false,
      excused: false,
      storageFault: false,
    };
    facts.set(grantId, known);
    return known;
  }

  const outlived = (call: Call): boolean => now() > call.leaseEndsAtMs;
  const written = (call: Call): boolean => call.writtenAtMs <= call.leaseEndsAtMs;
  /** Why a second use of the same refresh token could not be prevented. */
  const lost = (call: Call): boolean => !written(call) && (!call.host.alive || call.failed || outlived(call));

  return {
    violations,
    object,
    of,
    lost,
    revoked: (token: string): boolean => revoked.has(token),
    revokeTried: (token: string): void => void revoked.add(token),
    leaseAsked(host: Host, key: string, holder: string | undefined): void {
      const id = `${host.name} ${key}`;
      if (holder?.startsWith(`${host.name}.`) === true && (leaseEnds.get(id) ?? 0) <= now())
        leaseEnds.set(id, now() + leaseMs);
    },
    storageFault(_host: Host, _name: string, key: string): void {
      if (key.startsWith('grant:')) of(key.slice(6)).storageFault = true;
    },
    callMade(host: Host, grantId: string, refreshToken: string): Call {
      const leaseEndsAtMs = leaseEnds.get(`${host.name} lease:${grantId}`) ?? -1;
      if (host.alive && leaseEndsAtMs < 0) object('(a) no lease', `${host.name} calls with ${refreshToken}`);
      return { host, grantId, refreshToken, madeAtMs: now(), leaseEndsAtMs, arrived: false, failed: false, response: undefined, receivedAtMs: Infinity, writtenAtMs: Infinity }; // prettier-ignore
    },
    callArrived(call: Call): void {
      const { calls } = of(call.grantId);
      const excused = call.failed || outlived(call) || !call.host.alive;
      if (excused) of(call.grantId).excused = true;
      for (const other of calls) {
        const underWay = other.host.alive && !other.failed && other.writtenAtMs === Infinity && !outlived(other);
        if (underWay && !excused)
          object('(a) two calls at once', `${other.host.name} and ${call.host.name}: ${call.refreshToken}`);
      }
      call.arrived = true;
      calls.push(call);
    },
    tokenReused(call: Call, first: Call): void {
      of(call.grantId).excused ||= lost(first);
      const excused = call.failed || outlived(call) || !call.host.alive || lost(first);
      if (!excused) object('(a) spent twice', `${call.refreshToken} by ${first.host.name} and ${call.host.name}`);
    },
    callRefused: (call: Call): void => void of(call.grantId).refused.push(call),
    callAnswered(call: Call, response: TokenEndpointResponse): void {
      call.response = response;
      call.receivedAtMs = now();
    },
    callFailed: (call: Call): void => void (call.failed = true),
    /** After a command that may have changed a record. */
    recordCommand(host: Host, { name, before, after, key }: { name: string; key: string; before: string | undefined; after: string | undefined }): void { // prettier-ignore
      if (before === after) return;
      const grant = of(key.slice('grant:'.length));
      const old = grant.record;
      grant.record = after === undefined ? undefined : openRecord(after);
      if (after === undefined) return this.deleted(host, name, grant, old);
      if (grant.established && before === undefined) object('(c) revived', `${host.name} ${name} ${key}`);
      if (name === 'set' && grant.established) object('(b) overwritten', `${host.name} ${key}`);
      grant.established = true;
      grant.recordWrittenAtMs = now();
      const call = grant.calls.find(({ response }) => response?.access_token === grant.record?.accessToken);
      if (call !== undefined) call.writtenAtMs = Math.min(call.writtenAtMs, now());
    },
    /** By sign-out, or by a refusal that was about this very record: it was there before the refused call was made. */
    deleted(host: Host, name: string, grant: GrantFacts, old: TokenSet | undefined): void {
      if (name === 'take' && grant.signOutTried) return;
      const refused = grant.refused.some(
        (call) =>
          call.host === host && call.refreshToken === old?.refreshToken && grant.recordWrittenAtMs <= call.madeAtMs,
      );
      if (name !== 'compareAndDelete' || !refused)
        object('(b) newer record deleted', `${host.name} ${name} ${old?.accessToken ?? ''}`);
    },
  };
}
