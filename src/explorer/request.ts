import { matchEndpoint } from '../getbill/endpoints.js';
import type { Operation } from './operations.js';

/** The values of a form, by the name of the field. */
export type Fields = Readonly<Record<string, string>>;

/** The request to GetBill. */
export interface ExplorerRequest {
  /** Below the API's base, as the allow-list accepts it. */
  readonly path: string;
  /** With its question mark; or empty. */
  readonly query: string;
  /** JSON, as it was typed. */
  readonly body: string | undefined;
}

/** The request, or what is wrong with which field. */
export type BuiltRequest =
  | { readonly request: ExplorerRequest }
  | { readonly faults: Readonly<Record<string, string>> };

/** The fields of the operation and no others; with `sent` undefined those of a new form. */
export function fieldsOf({ id, query, body }: Operation, sent: unknown): Fields {
  const given = (typeof sent === 'object' && sent !== null ? sent : {}) as Record<string, unknown>;
  const fields: Record<string, string> = {};
  const read = (name: string, initial = ''): void => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    const absent = sent === undefined ? initial : '';
    fields[name] = typeof value === 'string' ? normalised(value) : absent;
  };
  if (id !== undefined) read('id');
  for (const { name, initial } of query) read(name, initial);
  if (body !== undefined) read('body', body);
  return fields;
}

export function buildRequest(operation: Operation, fields: Fields): BuiltRequest {
  const { endpoint, id, query, body } = operation;
  const faults: Record<string, string> = {};
  const path = endpoint.path.replace('{id}', fields['id'] ?? '');
  if (id !== undefined) {
    const match = matchEndpoint(endpoint.method, path);
    const isMatch = 'endpoint' in match && match.endpoint === endpoint;
    if (fields['id'] === '') faults['id'] = 'Fill in the id.';
    else if (!isMatch) faults['id'] = 'An id has letters, digits, "-" and "_" only.';
  }
  const search = new URLSearchParams();
  for (const { name } of query) if (fields[name]) search.set(name, fields[name]);
  const text = body === undefined ? undefined : (fields['body'] ?? '');
  const bodyFault = text === undefined ? undefined : faultOfJson(text);
  if (bodyFault !== undefined) faults['body'] = bodyFault;
  if (Object.keys(faults).length > 0) return { faults };
  return { request: { path, query: search.size > 0 ? `?${search.toString()}` : '', body: text } };
}

function faultOfJson(text: string): string | undefined {
  if (text === '') return 'Fill in the JSON to send.';
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    return 'This is not valid JSON. Look for a missing quote, or a comma too many.';
  }
}

/** Browsers send every line break of a form as CRLF. */
const normalised = (text: string): string => text.replaceAll('\r\n', '\n').trim();

/** For the samples of a form that is not filled in yet: the id stands as a word. */
export function exampleRequest({ endpoint, body }: Operation): ExplorerRequest {
  return { path: endpoint.path.replace('{id}', 'ID'), query: '', body };
}
