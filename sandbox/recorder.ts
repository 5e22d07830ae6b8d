import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface RecordedRequest {
  method: string;
  url: string;
  /** Names and values in turn, exactly as they came. */
  rawHeaders: string[];
  /** UTF-8, the first 64 KiB. */
  body: string;
  bodyLength: number;
  /** Hex, of the whole body; empty when there is none. */
  bodySha256: string;
  atMs: number;
  /** Of the response, once it has ended. */
  status?: number;
  durationMs?: number;
  /** The connection ended before the response did. */
  cut?: boolean;
}

const kept = 1000;
const keptBodyBytes = 64 * 1024;

export interface Recorder {
  record: (
    req: IncomingMessage & { originalUrl?: string },
    body: Buffer,
    res: ServerResponse,
  ) => void;
  requests: () => RecordedRequest[];
  clear: () => void;
}

export function createRecorder({ now }: { now: () => number }): Recorder {
  const recorded: RecordedRequest[] = [];
  return {
    record(req, body, res) {
      const startedMs = performance.now();
      const request: RecordedRequest = {
        method: req.method ?? '',
        url: req.originalUrl ?? req.url ?? '',
        rawHeaders: [...req.rawHeaders],
        body: body.subarray(0, keptBodyBytes).toString('utf8'),
        bodyLength: body.length,
        bodySha256: body.length === 0 ? '' : createHash('sha256').update(body).digest('hex'),
        atMs: now(),
      };
      recorded.push(request);
      if (recorded.length > kept) recorded.shift();
      res.once('close', () => {
        request.durationMs = performance.now() - startedMs;
        request.cut = !res.writableFinished;
        if (res.headersSent) request.status = res.statusCode;
      });
    },
    requests: () => [...recorded],
    clear() {
      recorded.length = 0;
    },
  };
}
