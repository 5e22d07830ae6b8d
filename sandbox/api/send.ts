import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { dropConnection, respond, respondWith, respondWithPage } from '../respond.js';
import type { ApiFault } from '../faults.js';
import { failure, type ApiResponse } from './envelope.js';

const json = 'application/json';
const trickleTickMs = 50;
const chunkBytes = 64 * 1024;

/** Responds (or does not) in place of the API; `false`: the API is to respond. */
export function respondInstead(res: ServerResponse, fault: ApiFault): boolean {
  switch (fault.mode) {
    case 'hang':
      return true;
    case 'drop':
      dropConnection(res);
      return true;
    case 'html':
      respondWithPage(res, fault.status);
      return true;
    case 'huge':
      sendHuge(res, fault);
      return true;
    case 'status':
      respondWith(res, { status: fault.status, body: fault.body });
      return true;
    case 'redirect':
      respond(res, fault.status, { location: fault.location });
      return true;
    case 'errorIn200':
      respondWith(res, {
        status: 200,
        body: failure(fault.code, fault.message ?? 'Something went wrong').body,
      });
      return true;
    case 'rawBody':
      respond(
        res,
        fault.status,
        { 'content-type': fault.contentType, ...fault.headers },
        fault.base64 === true ? Buffer.from(fault.body, 'base64') : fault.body,
      );
      return true;
    case 'unauthorized':
    case 'rateLimited':
    case 'slow':
    case 'hold':
    case 'trickle':
    case 'cut':
    case 'gzip':
      return false;
  }
}

/** The API's response, the way the fault has it travel. */
export function sendResponse(res: ServerResponse, response: ApiResponse, fault?: ApiFault): void {
  const { status } = response;
  const bytes = (response.bytes ??= Buffer.from(JSON.stringify(response.body)));
  if (fault?.mode === 'gzip') {
    return respond(
      res,
      status,
      { 'content-type': json, 'content-encoding': 'gzip' },
      gzipSync(bytes),
    );
  }
  if (fault?.mode === 'trickle') {
    res.writeHead(status, { 'content-type': json, 'content-length': bytes.length });
    return void pipeline(Readable.from(slowly(bytes, fault.bytesPerS)), res).catch(() => undefined);
  }
  if (fault?.mode === 'cut') {
    res.writeHead(status, {
      'content-type': json,
      'content-length': Math.max(bytes.length, fault.afterBytes + 1),
    });
    return void res.write(bytes.subarray(0, fault.afterBytes), () => res.destroy());
  }
  respond(res, status, { 'content-type': json }, bytes);
}

async function* slowly(bytes: Buffer, bytesPerS: number): AsyncGenerator<Buffer> {
  const size = Math.max(1, Math.round((bytesPerS * trickleTickMs) / 1000));
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
    await sleep((size / bytesPerS) * 1000);
  }
}

/** Valid JSON of exactly `bytes` bytes (as long as there is room for the envelope). */
function sendHuge(
  res: ServerResponse,
  { bytes, chunked, contentType }: Extract<ApiFault, { mode: 'huge' }>,
): void {
  const [head, tail] = ['{"error":false,"message":"Success","data":"', '"}'];
  function* pieces(): Generator<string> {
    yield head;
    for (let left = bytes - head.length - tail.length; left > 0; left -= chunkBytes) {
      yield 'x'.repeat(Math.min(left, chunkBytes));
    }
    yield tail;
  }
  const length = Math.max(bytes, head.length + tail.length);
  res.writeHead(200, {
    'content-type': contentType ?? json,
    ...(chunked !== true && { 'content-length': length }),
  });
  pipeline(Readable.from(pieces(), { objectMode: false }), res).catch(() => undefined);
}
