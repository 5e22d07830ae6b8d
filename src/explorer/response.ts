import { STATUS_CODES } from 'node:http';
import type { AppError } from '../errors.js';
import type { ApiResponse } from '../getbill/api-response.js';
import { decodeWhole } from '../getbill/content-coding.js';
import { textIn } from '../getbill/response-text.js';
import { fieldOf, textOf } from '../getbill/values.js';
import { errorText } from '../web/pages/error-texts.js';
import type { Formats } from '../web/pages/formats.js';
import { itemOperationOf, type Operation } from './operations.js';
import { prettyJson } from './pretty-json.js';

/** Characters of a body on the page: it stays small whatever GetBill sends. */
const MAX_SHOWN = 5_000;
const MAX_READ_BYTES = 64 * 1024;
const MAX_LINKS = 5;

/** The response of GetBill, or the reason why there is none. */
export interface ResponseView {
  /** "200 OK" */
  readonly status: string;
  readonly outcome: 'ok' | 'failed';
  /** "48 ms, 1,234 bytes" */
  readonly facts: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** Explains why a body is not shown, or not to its end. */
  readonly note: string | undefined;
  /** Where the whole body is. */
  readonly wholeHref: string | undefined;
  /** Records of a list, each to be read by itself. */
  readonly items: readonly { readonly id: string; readonly href: string }[];
}

interface Body {
  readonly text: string;
  /** `undefined`: there is more, of unknown length. */
  readonly bytes: number | undefined;
  readonly isReadable: boolean;
}

export async function responseView(
  response: ApiResponse,
  {
    operation,
    target,
    durationMs,
    secrets,
    formats,
  }: {
    operation: Operation;
    /** Path and query, below `/api`. */
    target: string;
    durationMs: number;
    /** Texts that are never shown, whoever sends them. */
    secrets: readonly string[];
    formats: Formats;
  },
): Promise<ResponseView> {
  const { text, bytes, isReadable } = await bodyOf(response);
  const shown = prettyJson(withoutSecrets(secrets, text), MAX_SHOWN);
  const isWhole = shown.isWhole && bytes !== undefined && isReadable;
  const size = bytes === undefined ? 'more than 64 KiB' : `${formats.count(bytes)} bytes`;
  const cutNote = isWhole
    ? undefined
    : `The first ${formats.count(MAX_SHOWN)} characters are shown.`;
  return {
    ...headOf(response.status, `${formats.count(Math.round(durationMs))} ms, ${size}`),
    headers: Object.entries(response.headers).map(([name, value]) => [
      name,
      withoutSecrets(secrets, value),
    ]),
    body: shown.text,
    note: isReadable ? cutNote : 'The body is too long to be shown.',
    wholeHref: !isWhole && operation.limitClass === 'read' ? `/api${target}` : undefined,
    items: itemsOf(operation, response),
  };
}

/** What `/api` responds when GetBill cannot be asked, or its response cannot be used. */
export function failureView(
  error: AppError,
  { requestId, durationMs, formats }: { requestId: string; durationMs: number; formats: Formats },
): ResponseView {
  const { code, status, retryAfterS } = error;
  const { title, why } = errorText(code, status);
  return {
    ...headOf(status, `${formats.count(Math.round(durationMs))} ms`),
    headers: retryAfterS === undefined ? [] : [['retry-after', String(retryAfterS)]],
    body: JSON.stringify({ error: code, request_id: requestId }, undefined, 2),
    note: `This is the response of this app, not of GetBill. ${title}: ${why}`,
    wholeHref: undefined,
    items: [],
  };
}

const headOf = (status: number, facts: string) => ({
  status: `${status} ${STATUS_CODES[status] ?? ''}`.trim(),
  outcome: status < 400 ? ('ok' as const) : ('failed' as const),
  facts,
});

async function bodyOf({ body, headers }: ApiResponse): Promise<Body> {
  const encoding = headers['content-encoding'];
  if (Buffer.isBuffer(body)) {
    const decoded = decodeWhole(body, encoding);
    if (decoded === undefined) return { text: '', bytes: undefined, isReadable: false };
    const text = textIn(decoded, headers['content-type']);
    return { text, bytes: decoded.length, isReadable: true };
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= MAX_READ_BYTES) break; // ends the call
  }
  const isReadable = encoding === undefined || /^identity$/i.test(encoding);
  const text = isReadable ? textIn(Buffer.concat(chunks), headers['content-type']) : '';
  return { text, bytes: undefined, isReadable };
}

function itemsOf(operation: Operation, { json, status }: ApiResponse): ResponseView['items'] {
  const item = itemOperationOf(operation);
  const data = fieldOf(json, 'data');
  if (item === undefined || status !== 200 || !Array.isArray(data)) return [];
  const ids = data.map((entry) => textOf(fieldOf(entry, 'id')) ?? '');
  return ids
    .filter((id) => /^[\w-]{1,128}$/.test(id))
    .slice(0, MAX_LINKS)
    .map((id) => ({ id, href: `/explorer/${item.slug}?id=${id}` }));
}

const withoutSecrets = (secrets: readonly string[], text: string): string =>
  secrets.reduce((rest, secret) => rest.replaceAll(secret, '$ACCESS_TOKEN'), text);
