import type { GetbillConfig } from '../config/config.js';
import { AppError } from '../errors.js';
import { shapeOf, type Emit } from '../events.js';
import { acceptHead, judge, readableEncodings, type ApiAnswer } from './answer.js';
import { limitClassOf, type Endpoint } from './endpoints.js';
import type { Caller, Quota } from './quota.js';
import type { Target, Upstream, UpstreamRequest } from './upstream.js';

/** Whose call it is: the token that is good now, and how to get a newer one when the API rejects it. */
export interface Access {
  readonly grantId: string;
  readonly accessToken: string;
  renew(rejected: string): Promise<{ readonly accessToken: string }>;
  /** The person whose share of GetBill's limit the call spends; a job has none. */
  readonly visitor?: Visitor;
}

export interface Visitor {
  readonly grantId: string;
  /** One value per client address. */
  readonly address: string;
  readonly mayReadCompany: boolean;
  /** GetBill turned out not to have granted this scope. */
  withhold(scope: string): Promise<void>;
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
  readonly onLeave?: UpstreamRequest['onLeave'];
}

/**
 * One call to the GetBill API. Sent once, and once more only after a 401, with a newer token.
 * @throws {UnavailableError} no usable answer. @throws {RequestError} the share is used up (`createQuotaGate`).
 * @throws as `Access.renew`.
 */
export type Forward = (call: ApiCall, access: Access) => Promise<ApiAnswer>;

export function createForward({
  config,
  upstream,
  quota,
  emit,
  monotonicMs,
}: {
  config: Pick<GetbillConfig, 'apiUrl' | 'timeoutMs'>;
  upstream: Pick<Upstream, 'open'>;
  quota: Pick<Quota, 'learn' | 'block' | 'left'>;
  emit: Emit;
  monotonicMs: () => number;
}): Forward {
  const { origin, host, pathname } = config.apiUrl;
  const base = pathname.replace(/\/$/, '');
  /** What a URL does not allow in a query as it stands is encoded; the path is one that `matchEndpoint` accepted. */
  const targetOf = ({ path, query }: ApiCall): Target => ({
    origin,
    host,
    pathname: base + path,
    search: query === '' ? '' : new URL(query, origin).search,
  });

  async function send(call: ApiCall, accessToken: string): Promise<ApiAnswer> {
    const { endpoint, body, acceptEncoding, requestId, onLeave } = call;
    const limitClass = limitClassOf(endpoint);
    const route = endpoint.path;
    const startedMs = monotonicMs();
    try {
      const opened = await upstream.open(targetOf(call), {
        method: endpoint.method,
        headers: {
          authorization: `Bearer ${accessToken}`,
          accept: 'application/json',
          'accept-encoding': readableEncodings(acceptEncoding),
          'x-request-id': requestId,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        body,
        timeoutMs: config.timeoutMs,
        onLeave,
        accept: acceptHead,
      });
      const answer = judge(opened);
      const { headers } = opened;
      quota.learn(limitClass, headers);
      const waitS = answer.status === 429 ? await quota.block(limitClass, { headers, json: answer.json }) : undefined;
      const quotaLeft = quota.left(limitClass);
      emit({
        type: 'api_called',
        limitClass,
        shapeOf: () => shapeOf(answer.json),
        method: endpoint.method,
        route,
        status: answer.status,
        durationMs: monotonicMs() - startedMs,
        ...(quotaLeft !== undefined && { quotaLeft }),
      });
      return waitS === undefined ? answer : { ...answer, headers: { ...answer.headers, 'retry-after': String(waitS) } };
    } catch (error) {
      emit({ type: 'api_failed', route, reason: error instanceof AppError ? error.code : 'unexpected' });
      throw error;
    }
  }

  return async function forward(call, access) {
    const answer = await send(call, access.accessToken);
    if (answer.status !== 401) return answer;
    if (!Buffer.isBuffer(answer.body)) answer.body.destroy();
    const { accessToken } = await access.renew(access.accessToken);
    emit({ type: 'api_replayed', route: call.endpoint.path });
    return await send(call, accessToken);
  };
}
