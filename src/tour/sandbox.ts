import { z } from 'zod';
import type { Counts } from './counts.js';

const DEADLINE_MS = 5_000;

const count = z.number().int();
const stateSchema = z.object({
  faults: z.record(z.string(), z.unknown()),
  counters: z.object({
    authorize: count,
    tokenByGrant: z.object({ authorization_code: count, refresh_token: count }),
    refreshOk: count,
    refreshRefused: count,
    refreshReuse: count,
    apiCalls: count,
    apiUnauthorized: count,
  }),
});

/** Settings of the sandbox, as its control API has them. */
export type Settings = Readonly<Record<string, unknown>>;

/**
 * The control API of the sandbox GetBill: faults, and the counters that the scenes are judged by.
 */
export interface Sandbox {
  counts(): Promise<Counts>;
  settings(): Promise<Settings>;
  change(settings: Settings): Promise<void>;
  expireAccessTokens(): Promise<void>;
  revokeGrants(): Promise<void>;
}

/** All methods: @throws {SandboxMissingError} */
export function createSandbox({ apiUrl }: { apiUrl: URL }): Sandbox {
  async function call(method: string, operation: string, body?: Settings) {
    const response = await fetch(new URL(`/_sandbox/${operation}`, apiUrl), {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE_MS),
    }).catch((error: unknown) => {
      throw sandboxMissing(apiUrl, error);
    });
    const json: unknown = await response.json().catch(() => undefined);
    const { success, data, error } = stateSchema.safeParse(json);
    if (!success) throw sandboxMissing(apiUrl, error);
    return data;
  }

  return {
    async counts() {
      const { counters } = await call('GET', 'state');
      return {
        signIns: counters.authorize,
        codeExchanges: counters.tokenByGrant.authorization_code,
        renewalCalls: counters.tokenByGrant.refresh_token,
        renewals: counters.refreshOk,
        renewalsRefused: counters.refreshRefused,
        spentTokens: counters.refreshReuse,
        apiCalls: counters.apiCalls,
        apiRefused: counters.apiUnauthorized,
      };
    },
    settings: async () => (await call('GET', 'state')).faults,
    change: async (settings) => void (await call('PATCH', 'faults', settings)),
    expireAccessTokens: async () => void (await call('POST', 'expire-access-tokens', {})),
    revokeGrants: async () => void (await call('POST', 'revoke-grants', {})),
  };
}

/** GETBILL_BASE_URL is no sandbox, or the sandbox does not respond. */
export class SandboxMissingError extends Error {}

const sandboxMissing = (apiUrl: URL, cause: unknown): SandboxMissingError =>
  new SandboxMissingError(
    `No sandbox responds at ${apiUrl.origin} (GETBILL_BASE_URL). The command "npm run demo" starts one.`,
    { cause },
  );
