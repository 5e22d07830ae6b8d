import {
  GrantEndedError,
  MisconfiguredError,
  NotSignedInError,
  StorageError,
  UnavailableError,
} from '../../../src/errors.js';
import { phaseOf, type TokenSet } from '../../../src/core/oauth/token-set.js';
import { grantOf } from './model-server.js';
import type { Host } from './scheduler.js';
import { MARGIN_MS, type Process, type World } from './world.js';

/** Of time in which the process was running: waiting for another holder, then one token call of its own. */
const LONGEST_MS = { fresh: 30_000, renew: 60_000, forget: 10_000 };
/** A read from a struggling storage; every slow token call takes longer. */
const NO_WAIT_MS = 2_000;

interface Ask {
  readonly host: Host;
  readonly kind: keyof typeof LONGEST_MS;
  readonly grantId: string;
}

/** How far a process may misjudge another one's clock. */
const TOLERANCE_MS = 1_100;

export type Callers = ReturnType<typeof createCallers>;

/** What the rest of the app asks of the token manager, each answer judged. */
export function createCallers({ plan, random, scheduler, server, witness }: World) {
  const open = new Set<Ask>();
  const lastGood = new Map<string, TokenSet>();

  const phaseAt = (nowMs: number, tokenSet: TokenSet) =>
    phaseOf(tokenSet, { nowMs, marginMs: MARGIN_MS });
  /** Of a token set that the process holds, by its own clock. */
  const isGood = ({ clockErrorMs }: Host, tokenSet: TokenSet | undefined): boolean =>
    tokenSet !== undefined && phaseAt(scheduler.now() + clockErrorMs, tokenSet) !== 'expired';
  /** Of what is on record, in truth; `undefined` so close to its end that a process may take it for another. */
  function phase(record: TokenSet | undefined) {
    if (record === undefined) return undefined;
    const earlier = phaseAt(scheduler.now() - TOLERANCE_MS, record);
    return phaseAt(scheduler.now() + TOLERANCE_MS, record) === earlier ? earlier : undefined;
  }

  /** `undefined` when it failed, or its process died. */
  async function ask<T>(asked: Ask, call: () => Promise<T>): Promise<T | undefined> {
    const { host, kind, grantId } = asked;
    const grant = witness.of(grantId);
    const startedMs = Math.max(scheduler.now(), host.frozenUntilMs);
    const frozenBeforeMs = host.frozenForMs;
    const record = grant.record;
    const phaseBefore = phase(record);
    const copyIsGood = isGood(host, lastGood.get(host.name + grantId));
    const object = (rule: string, detail = ''): void =>
      witness.object(rule, `${kind} ${grantId} in ${host.name} since ${startedMs} ${detail}`);

    open.add(asked);
    const { value, error } = await call().then(
      (result) => ({ value: result, error: undefined }),
      (reason: unknown) => ({ value: undefined, error: reason }),
    );
    open.delete(asked);
    if (!host.alive) return undefined;

    const tookMs = scheduler.now() - startedMs - (host.frozenForMs - frozenBeforeMs);
    if (tookMs > LONGEST_MS[kind]) object('(d) late', `${tookMs} ms`);
    if (
      kind === 'fresh' &&
      phaseBefore === 'margin' &&
      phase(record) === 'margin' &&
      tookMs > NO_WAIT_MS
    )
      object('(g) waited in the margin', `${tookMs} ms`);
    if (error === undefined) return value;

    if (plan.calm && !grant.signOutTried) object('(e) failed', describe(error));
    if (error instanceof GrantEndedError) {
      if (!grant.signOutTried && grant.refused.length === 0)
        object('(f) signed out', error.message);
    } else if (
      ![UnavailableError, MisconfiguredError, StorageError].some((known) => error instanceof known)
    ) {
      object('(d) unexpected', describe(error));
    } else if (kind === 'fresh' && !grant.signOutTried) {
      const stillGood =
        ['fresh', 'margin'].includes(phase(record) ?? '') && grant.record !== undefined;
      if (stillGood && !(error instanceof StorageError))
        object('(h) valid token not used', describe(error));
      if (stillGood && copyIsGood && isGood(host, lastGood.get(host.name + grantId)))
        object('(h) own copy not used', describe(error));
    }
    return undefined;
  }

  async function askForTokens(
    asked: Ask,
    call: () => Promise<TokenSet>,
  ): Promise<TokenSet | undefined> {
    const { host, grantId } = asked;
    const tokenSet = await ask(asked, call);
    if (tokenSet === undefined) return undefined;
    if (grantOf(tokenSet.accessToken) !== grantId)
      witness.object('(x) crossed', `${tokenSet.accessToken} for ${grantId}`);
    lastGood.set(host.name + grantId, tokenSet);
    return tokenSet;
  }

  /** One call of the GetBill API on somebody's behalf, replayed once after a 401. Says whether the API served it. */
  async function callOnce({ host, tokens }: Process, grantId: string): Promise<boolean> {
    const first = await askForTokens({ host, kind: 'fresh', grantId }, () => tokens.fresh(grantId));
    if (first === undefined) return false;
    await scheduler.sleep(host, random.between(0, 30));
    if (server.accepts(first.accessToken)) return true;
    const rejected = first.accessToken;
    const second = await askForTokens({ host, kind: 'renew', grantId }, () =>
      tokens.renew(grantId, rejected),
    );
    if (second?.accessToken === rejected)
      witness.object('(k) rejected token given again', rejected);
    return second !== undefined && server.accepts(second.accessToken);
  }

  /** `attempts` 2: an API that turned down a newer token than the one this process knew needs a second call. */
  const callApi = async (
    process: Process,
    grantId: string,
    { attempts }: { attempts: 1 | 2 },
  ): Promise<boolean> =>
    (await callOnce(process, grantId)) || (attempts === 2 && (await callOnce(process, grantId)));

  async function signOut({ host, tokens }: Process, grantId: string): Promise<void> {
    const grant = witness.of(grantId);
    grant.signOutTried = true;
    const done = await ask({ host, kind: 'forget', grantId }, () =>
      tokens.forget(grantId, 'signed_out'),
    );
    if (done === undefined) return;
    grant.signedOut = true;
    if (grant.record !== undefined) witness.object('(c) still there', grantId);
  }

  return {
    callApi,
    signOut,
    /** Questions that a living process has not answered yet. */
    unanswered: (): Ask[] => [...open].filter(({ host }) => host.alive),
  };
}

const describe = (error: unknown): string =>
  error instanceof NotSignedInError || error instanceof Error
    ? `${error.name}: ${error.message}`
    : String(error);
