import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Request, RequestHandler } from 'express';
import type { Recorder } from './recorder.js';

const limitBytes = 32 * 1024 * 1024;
const bodies = new WeakMap<IncomingMessage, Buffer>();

export const bodyOf = (req: IncomingMessage): Buffer => bodies.get(req) ?? Buffer.alloc(0);

/** Reads the body whole, before anything is done with the request, and records both. */
export function readAndRecord({ recorder }: { recorder: Recorder }): RequestHandler {
  return async function readAndRecordMiddleware(req, res, next) {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of req as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > limitBytes) return void res.status(413).end();
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    bodies.set(req, body);
    recorder.record(req, body, res);
    next();
  };
}

/** The same request with its body still to be read, for a handler that reads it itself. */
export function unread(req: Request, url: string): IncomingMessage {
  const body = bodyOf(req);
  const copy = Object.assign(Readable.from(body.length > 0 ? [body] : [], { objectMode: false }), {
    method: req.method,
    url,
    originalUrl: url,
    headers: req.headers,
    rawHeaders: req.rawHeaders,
    socket: req.socket,
    httpVersion: req.httpVersion,
    httpVersionMajor: req.httpVersionMajor,
    httpVersionMinor: req.httpVersionMinor,
  }) as unknown as IncomingMessage;
  bodies.set(copy, body);
  return copy;
}
