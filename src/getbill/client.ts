import { UnavailableError } from '../errors.js';
import { matchEndpoint } from './endpoints.js';
import type { Access, Forward } from './forward.js';

const CACHED_MS = 60_000;
const MOST_CACHED = 10_000;

/** `GET /company/profile`. All but `id` may be null. */
export interface CompanyProfile {
  readonly id: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly created_at: string | null;
}

/** The API for our own pages. @throws {UnavailableError} no usable answer; and as `Forward`. */
export interface GetbillPages {
  /** `undefined` when the API says that the scope was not granted. */
  companyProfile(access: Access, requestId: string): Promise<CompanyProfile | undefined>;
  /** Drops what is cached for a grant. */
  forget(grantId: string): void;
}

export function createGetbillPages({ forward, now }: { forward: Forward; now: () => number }): GetbillPages {
  const profiles = new Map<string, { profile: CompanyProfile; untilMs: number }>();

  async function get(path: string, access: Access, requestId: string): Promise<Record<string, unknown> | undefined> {
    const match = matchEndpoint('GET', path);
    if (!('endpoint' in match)) throw new TypeError(`"${path}" is not on the allow-list`);
    const call = { endpoint: match.endpoint, path, query: '', requestId, caller: 'page' as const };
    const { status, headers, json } = await forward(call, access);
    if (status === 403) return undefined;
    if (status !== 200 || !isRecord(json) || !isRecord(json['data'])) throw refused(status, headers['retry-after']);
    return json['data'];
  }

  return {
    async companyProfile(access, requestId) {
      const cached = profiles.get(access.grantId);
      if (cached !== undefined && cached.untilMs > now()) return cached.profile;
      const data = await get('/company/profile', access, requestId);
      if (data === undefined) return undefined;
      const profile = profileFrom(data);
      profiles.delete(access.grantId);
      profiles.set(access.grantId, { profile, untilMs: now() + CACHED_MS });
      const [oldest] = profiles.keys();
      if (profiles.size > MOST_CACHED && oldest !== undefined) profiles.delete(oldest);
      return profile;
    },
    forget: (grantId) => void profiles.delete(grantId),
  };
}

function profileFrom({ id, name, email, phone, created_at }: Record<string, unknown>): CompanyProfile {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  if (typeof id !== 'string') throw refused(200);
  return { id, name: text(name), email: text(email), phone: text(phone), created_at: text(created_at) };
}

function refused(status: number, retryAfter?: string): UnavailableError {
  if (status === 429) {
    const retryAfterS = Number(retryAfter ?? 60);
    return new UnavailableError("GetBill's limit is reached", { code: 'getbill_quota_used', status: 429, retryAfterS });
  }
  return new UnavailableError(`the GetBill API answered ${status} to a page's call`, {
    code: status === 401 ? 'api_rejects_token' : 'getbill_error',
    status: 502,
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
