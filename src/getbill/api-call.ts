import type { ApiResponse } from './api-response.js';
import type { CallSignal } from './call-signal.js';
import type { Endpoint } from './endpoints.js';
import type { Caller } from './quota.js';

/** The right to call: a token that is good now, and how to get a newer one after a 401. */
export interface Access {
  readonly grantId: string;
  readonly accessToken: string;
  renew(rejected: string): Promise<{ readonly accessToken: string }>;
  /** The person whose share of GetBill's limit the call spends; a job has none. */
  readonly visitor?: Visitor;
  /** The owner of that share, once known: the sessions of one owner share connections, too. */
  readonly owner?: string;
}

export interface Visitor {
  readonly grantId: string;
  /** One value per client address. */
  readonly address: string;
  readonly mayReadCompany: boolean;
  /** GetBill turned out not to have granted this scope. */
  readonly learnMissingScope: (scope: string) => Promise<void>;
}

export interface ApiCall {
  readonly endpoint: Endpoint;
  /** Below the API's base, as `matchEndpoint` accepted it. */
  readonly path: string;
  /** With its question mark, as given; or empty. */
  readonly query: string;
  readonly body?: Buffer | undefined;
  readonly acceptEncoding?: string | undefined;
  readonly requestId: string;
  readonly caller: Caller;
  /** Aborted when nobody waits for the response any more; ends the call wherever it is. */
  readonly signal?: CallSignal | undefined;
}

/**
 * One call to the GetBill API, and once more after a 401, with a newer token.
 * @throws {UnavailableError} no usable response; 503: this session has too many calls open; 499:
 * `signal`.
 * @throws {RequestError} the share is used up (`createQuotaGate`).
 * @throws as `Access.renew`.
 */
export type Forward = (call: ApiCall, access: Access) => Promise<ApiResponse>;
