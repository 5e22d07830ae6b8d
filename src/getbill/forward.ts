import type { GetbillConfig } from '../config/config.js';
import { AppError } from '../errors.js';
import type { Emit } from '../events.js';
import type { Access, ApiCall, Forward } from './api-call.js';
import { acceptHead, judgeResponse, type ApiResponse } from './api-response.js';
import { unlessLeft } from './call-signal.js';
import type { CallSlots } from './call-slots.js';
import { readableEncodings } from './content-coding.js';
import { limitClassOf } from './endpoints.js';
import type { Quota } from './quota.js';
import type { Target, Upstream } from './upstream.js';
import type { ResponseHead } from './upstream-attempt.js';
import type { UpstreamResponse } from './upstream-call.js';

export function createForward({
  config,
  upstream,
  quota,
  slots,
  emit,
  monotonicMs,
}: {
  config: Pick<GetbillConfig, 'apiUrl' | 'timeoutMs'>;
  upstream: Pick<Upstream, 'open'>;
  quota: Pick<Quota, 'learn' | 'block' | 'left'>;
  slots: CallSlots;
  emit: Emit;
  monotonicMs: () => number;
}): Forward {
  const targetOf = targetsBelow(config.apiUrl);

  /** With a slot of this session, which is held until the whole body has come. */
  async function open(
    call: ApiCall,
    { grantId, owner, accessToken }: Access,
    accept: (head: ResponseHead) => void,
  ): Promise<UpstreamResponse> {
    const askedMs = monotonicMs();
    const release = await slots.acquire(grantId, call.signal, owner);
    try {
      const response = await upstream.open(targetOf(call), {
        method: call.endpoint.method,
        headers: headersOf(call, accessToken),
        body: call.body,
        timeoutMs: Math.max(1, config.timeoutMs - (monotonicMs() - askedMs)),
        idleMs: config.timeoutMs,
        signal: call.signal,
        accept,
      });
      if (Buffer.isBuffer(response.body)) release();
      else response.body.once('close', release);
      return response;
    } catch (error) {
      release();
      throw error;
    }
  }

  async function send(call: ApiCall, access: Access): Promise<ApiResponse> {
    const { endpoint } = call;
    const limitClass = limitClassOf(endpoint);
    const startedMs = monotonicMs();
    let head: ResponseHead | undefined;
    try {
      const opened = await open(call, access, (received) => {
        head = received;
        acceptHead(received);
      });
      const response = judgeResponse(opened);
      quota.learn(limitClass, opened.headers);
      if (response.status === 429) {
        const waitS = await quota.block(limitClass, opened.headers, response.json);
        response.headers['retry-after'] = String(waitS);
      }
      const quotaLeft = quota.left(limitClass);
      emit({
        type: 'api_called',
        limitClass,
        scope: endpoint.scope,
        method: endpoint.method,
        route: endpoint.path,
        status: response.status,
        durationMs: monotonicMs() - startedMs,
        ...(quotaLeft !== undefined && { quotaLeft }),
      });
      if (response.status !== 403) return response;
      return { ...response, challenge: opened.headers['www-authenticate'] };
    } catch (error) {
      const reason = error instanceof AppError ? error.code : 'unexpected';
      emit({
        type: 'api_failed',
        route: endpoint.path,
        reason,
        method: endpoint.method,
        status: head?.status,
        contentType: mediaTypeOf(head),
        durationMs: monotonicMs() - startedMs,
      });
      throw error;
    }
  }

  return async function forward(call, access) {
    const response = await send(call, access);
    if (response.status !== 401) return response;
    if (!Buffer.isBuffer(response.body)) response.body.destroy();
    const renewed = await unlessLeft(call.signal, access.renew(access.accessToken));
    emit({ type: 'api_replayed', route: call.endpoint.path });
    return await send(call, { ...access, accessToken: renewed.accessToken });
  };
}

const mediaTypeOf = (head: ResponseHead | undefined): string | undefined =>
  /^[\w.+-]{1,40}\/[\w.+-]{1,40}/.exec(head?.headers['content-type'] ?? '')?.[0];

function headersOf(call: ApiCall, accessToken: string): Record<string, string> {
  return {
    authorization: `Bearer ${accessToken}`,
    accept: 'application/json',
    'accept-encoding': readableEncodings(call.acceptEncoding),
    'x-request-id': call.requestId,
    ...(call.body !== undefined && { 'content-type': 'application/json' }),
  };
}

/**
 * The path is one that `matchEndpoint` accepted; what a URL does not allow in a query is encoded.
 */
function targetsBelow({ origin, host, pathname }: URL): (call: ApiCall) => Target {
  const base = pathname.replace(/\/$/, '');
  return ({ path, query }) => ({
    origin,
    host,
    pathname: base + path,
    search: query === '' ? '' : new URL(query, origin).search,
  });
}
