import { parseJson, type ApiResponse } from './api-response.js';
import { decodeWhole } from './content-coding.js';
import { errorFrom } from './envelope.js';
import { tooLarge } from './response-body.js';

/** Parsing blocks the event loop, and so every other request. */
const PARSED_LIMIT = 1024 * 1024;

/**
 * The JSON of a success. @throws {GetbillApiError} the API said no. @throws {UnavailableError} too
 * large, or no JSON.
 */
export async function readJson(response: ApiResponse): Promise<unknown> {
  const json = await wholeOf(response);
  const { status, headers } = response;
  if (status >= 200 && status < 300) return json;
  throw errorFrom(json, { status, retryAfter: headers['retry-after'] });
}

/** A long list arrives as a stream (judged by its type only), so it is read and parsed here. */
async function wholeOf({ body, json, headers }: ApiResponse): Promise<unknown> {
  if (json !== undefined || (Buffer.isBuffer(body) && body.length === 0)) return json;
  const decoded = decodeWhole(await bytesOf(body), headers['content-encoding'], PARSED_LIMIT);
  if (decoded === undefined) throw tooLarge();
  return parseJson(decoded, headers['content-type']);
}

async function bytesOf(body: ApiResponse['body']): Promise<Buffer> {
  if (Buffer.isBuffer(body)) return body;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > PARSED_LIMIT) throw tooLarge();
  }
  return Buffer.concat(chunks);
}
