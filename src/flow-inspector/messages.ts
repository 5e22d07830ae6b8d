import { STATUS_CODES } from 'node:http';
import { shapeOf } from '../core/events.js';
import type { HttpExchange } from '../tracing.js';
import { maskedHeaders } from './masked-headers.js';
import {
  cleaned,
  maskedJson,
  maskedParameters,
  maskedUrl,
  scrubbed,
  type Mask,
} from './masking.js';
import { curlOf } from './curl.js';
import { judge, noResponse, type Judgement } from './judgement.js';
import type { Message } from './step.js';

/** The endpoint of a call: the API, or the token endpoint with its grant type. */
export type CallKind =
  | 'authorization_code'
  | 'refresh_token'
  | 'client_credentials'
  | 'revocation'
  | 'api';

export function kindOfCall({ body, headers }: HttpExchange): CallKind {
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded') !== true)
    return 'api';
  const form = new URLSearchParams(String(body ?? ''));
  const grantType = form.get('grant_type');
  if (grantType === 'refresh_token' || grantType === 'client_credentials') return grantType;
  return form.has('token_type_hint') ? 'revocation' : 'authorization_code';
}

const SENT_HEADERS = [
  'host',
  'authorization',
  'accept',
  'accept-encoding',
  'content-type',
  'x-request-id',
];
const RECEIVED_HEADERS = [
  'content-type',
  'content-length',
  'content-encoding',
  'location',
  'retry-after',
  'www-authenticate',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'x-ratelimit-window',
  'cache-control',
];

/** The secrets that a call carries: whatever a response repeats of them is masked, too. */
function secretsOf(exchange: HttpExchange): string[] {
  const bearer = /^Bearer (.+)$/.exec(exchange.headers['authorization'] ?? '')?.[1] ?? '';
  if (kindOfCall(exchange) === 'api') return [bearer];
  const form = new URLSearchParams(String(exchange.body));
  const names = ['code', 'code_verifier', 'client_secret', 'refresh_token', 'token'];
  return [bearer, ...names.map((name) => form.get(name) ?? '')];
}

export function requestMessage(exchange: HttpExchange, mask: Mask): Message {
  const url = new URL(exchange.url);
  const headers = { host: url.host, ...exchange.headers };
  const message: Message = {
    start: `${exchange.method} ${maskedUrl(url, mask, { origin: false })} HTTP/1.1`,
    headers: maskedHeaders(headers, SENT_HEADERS, mask),
    ...bodyOf(exchange, mask),
  };
  return { ...message, curl: curlOf(exchange, url, mask) };
}

function bodyOf(exchange: HttpExchange, mask: Mask): { body?: string } {
  if (exchange.body === undefined) return {};
  if (kindOfCall(exchange) === 'api') {
    return { body: shapeText(jsonOrUndefined(String(exchange.body))) };
  }
  const parameters = maskedParameters(new URLSearchParams(String(exchange.body)), mask);
  return { body: parameters.map(([name, value]) => `${name}=${value}`).join('\n&') };
}

/**
 * `body`: its bytes, when it was read whole; `failure`: the code of the error the call ended with.
 */
export function responseMessage(
  exchange: HttpExchange,
  { body, failure }: { body: Buffer | undefined; failure: string | undefined },
  mask: Mask,
): { message: Message | undefined; judgement: Judgement } {
  const { head } = exchange;
  if (head === undefined) return { message: undefined, judgement: noResponse(failure) };
  const isToken = kindOfCall(exchange) !== 'api';
  const json = body === undefined ? undefined : jsonOrUndefined(body.toString('utf8'));
  const secrets = secretsOf(exchange);
  const scrub = (text: string): string => scrubbed(text, secrets, mask);
  const type = String(head.headers['content-type'] ?? '').split(';')[0] ?? '';
  const hasBody = body?.length !== 0;
  const judgement = judge({ status: head.status, type, json, isToken, failure, hasBody });
  const bodyText = (): string => {
    if (json !== undefined) return isToken ? maskedJson(json, mask) : shapeText(json);
    const extent = body === undefined ? 'not read whole' : `${body.length} bytes`;
    return `(${cleaned(type, mask) || 'no content type'}, ${extent})`;
  };
  return {
    message: {
      start: `HTTP/1.1 ${head.status} ${STATUS_CODES[head.status] ?? ''}`.trim(),
      headers: maskedHeaders(head.headers, RECEIVED_HEADERS, mask).map(([name, value]) => [
        name,
        scrub(value),
      ]),
      body: scrub(bodyText()),
    },
    // it may name an error code
    judgement: { ...judgement, title: scrub(cleaned(judgement.title, mask)) },
  };
}

function shapeText(json: unknown): string {
  const shape = shapeOf(json);
  if (shape === undefined) return '(no JSON object)';
  const lines = Object.entries(shape).map(([key, type]) => `${key}: ${type}`);
  return `${lines.join('\n')}\n(names and types only)`;
}

function jsonOrUndefined(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
