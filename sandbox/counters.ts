import type { GrantType } from './faults.js';

export interface Counters {
  authorize: number;
  tokenCalls: number;
  tokenByGrant: Record<GrantType, number>;
  refreshOk: number;
  /** Every refused refresh, reuse included. */
  refreshRefused: number;
  /** A refresh token that had already been rotated away came back; its grant is ended. */
  refreshReuse: number;
  revokeCalls: number;
  apiCalls: number;
  apiUnauthorized: number;
  /** Keyed by the path below /external-api/v1, ids as they came. */
  apiByPath: Record<string, number>;
}

export function zeroCounters(): Counters {
  return {
    authorize: 0,
    tokenCalls: 0,
    tokenByGrant: { authorization_code: 0, refresh_token: 0, client_credentials: 0 },
    refreshOk: 0,
    refreshRefused: 0,
    refreshReuse: 0,
    revokeCalls: 0,
    apiCalls: 0,
    apiUnauthorized: 0,
    apiByPath: {},
  };
}
