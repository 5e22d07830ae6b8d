import { GrantRefusedError, MisconfiguredError, UnavailableError } from '../../../src/errors.js';
import type { TokenEndpoint } from '../../../src/core/oauth/token-endpoint.js';
import type { TokenResponse } from '../../../src/core/oauth/token-set.js';
import type { Plan } from './plan.js';
import type { Random } from './random.js';
import type { Host, Reply, Scheduler } from './scheduler.js';
import type { Call } from './facts.js';
import type { Witness } from './witness.js';

export const TIMEOUT_MS = 10_000;

interface Grant {
  alive: boolean;
  issued: number;
  refreshToken: string;
  readonly spentBy: Map<string, Call>;
  readonly accessTokens: Map<string, number>;
}

export type ModelServer = ReturnType<typeof createModelServer>;

/** The authorization server and, in `accepts`, the API behind it. Token names say whose they are: `rt.<grant>.<number>`. */
export function createModelServer({
  scheduler,
  random,
  plan,
  weather,
  witness,
}: {
  scheduler: Scheduler;
  random: Random;
  plan: Plan;
  weather: () => Plan;
  witness: Witness;
}) {
  const grants = new Map<string, Grant>();
  const grantFor = (grantId: string): Grant => {
    const known = grants.get(grantId);
    const grant = known ?? {
      alive: true,
      issued: 0,
      refreshToken: '',
      spentBy: new Map(),
      accessTokens: new Map(),
    };
    grants.set(grantId, grant);
    return grant;
  };
  const counters = { renewed: 0, reused: 0, refused: 0 };

  function issue(grantId: string, grant: Grant): TokenResponse {
    const number = ++grant.issued;
    const rotates = plan.rotation === 'strict' || plan.rotation === 'lenient';
    if (rotates || number === 1) grant.refreshToken = `rt.${grantId}.${number}`;
    if (plan.oldAccessTokenDies) grant.accessTokens.clear();
    const access_token = `at.${grantId}.${number}`;
    grant.accessTokens.set(access_token, scheduler.now() + plan.lifetimeS * 1000);
    const silent = plan.rotation === 'omit' && number > 1;
    return {
      access_token,
      expires_in: plan.lifetimeS,
      ...(!silent && { refresh_token: grant.refreshToken }),
    };
  }

  function refresh(call: Call, grant: Grant): TokenResponse | undefined {
    const reused = grant.spentBy.get(call.refreshToken);
    if (reused !== undefined) {
      counters.reused++;
      witness.tokenReused(call, reused);
      if (plan.rotation === 'strict' && grant.alive) witness.endedByReuse(call, reused);
      if (plan.rotation === 'strict') grant.alive = false;
    }
    if (!grant.alive || grant.refreshToken !== call.refreshToken) return undefined;
    const response = issue(call.grantId, grant);
    counters.renewed++;
    if (grant.refreshToken !== call.refreshToken) grant.spentBy.set(call.refreshToken, call);
    return response;
  }

  function answer(call: Call, reply: Reply<TokenResponse>, backMs: number): void {
    witness.callArrived(call);
    const fault = random.chance(weather().serverFault) ? random.pick(FAULTS) : undefined;
    const retryAfterS = random.pick([undefined, 1, 30]);
    if (fault === 'busy')
      return reply.reject(
        new UnavailableError('busy', { status: 502, ...(retryAfterS && { retryAfterS }) }),
        backMs,
      );
    if (fault === 'rejecting')
      return reply.reject(new MisconfiguredError('rejecting', { hint: 'no hint' }), backMs);
    const grant = grantFor(call.grantId);
    if (fault === 'ended') grant.alive = false;
    const response = refresh(call, grant);
    call.issued = response;
    if (fault === 'lost') return reply.reject(new UnavailableError('cut', { status: 502 }), backMs);
    if (response !== undefined) return reply.resolve(response, backMs);
    counters.refused++;
    witness.callRefused(call);
    reply.reject(new GrantRefusedError('invalid_grant'), backMs);
  }

  /** There and back again. */
  function latenciesMs(): [number, number] {
    const slow = random.chance(weather().slowServer);
    const inAllMs = slow
      ? random.between(2_500, plan.calm ? 9_000 : 11_000)
      : random.between(5, 200);
    const thereMs = random.between(0, inAllMs);
    return [thereMs, inAllMs - thereMs];
  }

  /** With the deadline of the real one: an answer that is not there by then counts as none. */
  function call<T>(host: Host, label: string, carryOut: (reply: Reply<T>, backMs: number) => void) {
    return new Promise<T>((resolve, reject) => {
      const [thereMs, backMs] = latenciesMs();
      const tooLate = (): void =>
        reject(new UnavailableError('timeout', { code: 'token_endpoint_timeout', status: 504 }));
      const deadline = scheduler.timer(host, `${label} deadline`, TIMEOUT_MS, tooLate);
      scheduler
        .request<T>(host, label, thereMs, (reply) => carryOut(reply, backMs))
        .finally(() => scheduler.drop(deadline))
        .then(resolve, reject);
    });
  }

  return {
    counters,
    signIn: (grantId: string): TokenResponse => issue(grantId, grantFor(grantId)),
    /** Whether the API would serve a call with this access token now. */
    accepts: (accessToken: string): boolean => {
      const grant = grantFor(grantOf(accessToken));
      return grant.alive && (grant.accessTokens.get(accessToken) ?? 0) > scheduler.now();
    },
    /** The refresh token that is good now, `undefined` when the grant has ended. */
    goodRefreshToken: (grantId: string): string | undefined =>
      grantFor(grantId).alive ? grantFor(grantId).refreshToken : undefined,
    endAccessTokens: (grantId: string): void => grantFor(grantId).accessTokens.clear(),
    endpointOf: (host: Host): Pick<TokenEndpoint, 'refresh' | 'revoke'> => ({
      async refresh(refreshToken) {
        const made = witness.callMade(host, grantOf(refreshToken), refreshToken);
        const label = `refresh ${refreshToken}`;
        try {
          return await call<TokenResponse>(host, label, (reply, backMs) =>
            answer(made, reply, backMs),
          );
        } catch (error) {
          witness.callFailed(made, error);
          throw error;
        }
      },
      async revoke(token) {
        witness.revokeTried(token);
        await call<undefined>(host, `revoke ${token}`, (reply, backMs) => {
          const grant = grantFor(grantOf(token));
          grant.accessTokens.delete(token);
          if (grant.refreshToken === token) grant.alive = false;
          reply.resolve(undefined, backMs);
        });
      },
    }),
  };
}

const FAULTS = ['busy', 'busy', 'rejecting', 'ended', 'lost', 'lost'] as const;
export const grantOf = (token: string): string => token.split('.')[1] ?? '';
