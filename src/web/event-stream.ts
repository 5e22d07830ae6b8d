import type { Response } from 'express';

const HEARTBEAT_MS = 15_000;
const RETRY_MS = 2_000;

/** Server-Sent Events to one browser. */
export interface EventStream {
  /**
   * `data` is sent as JSON; `id` comes back as `Last-Event-ID`. `false`: the browser reads too
   * slowly.
   */
  send(event: { name: string; id?: number | string; data: unknown }): boolean;
  end(): void;
  readonly ended: AbortSignal;
}

/**
 * Opens a stream that ends by itself: when the browser leaves, after `maxMs`, and when the server
 * begins to stop (`stopping`, see server.ts), so that no stream holds up a shutdown. The browser
 * then comes back with `Last-Event-ID`, to another process if need be.
 */
export function openEventStream(res: Response, { maxMs }: { maxMs: number }): EventStream {
  const ended = new AbortController();
  const end = (): void => {
    if (ended.signal.aborted) return;
    ended.abort();
    clearInterval(heartbeat);
    clearTimeout(longest);
    res.end();
  };
  const heartbeat = setInterval(() => res.write(': still here\n\n'), HEARTBEAT_MS);
  const longest = setTimeout(end, maxMs);
  res.status(200).type('text/event-stream');
  res.set('X-Accel-Buffering', 'no'); // nginx
  res.once('close', end).once('stopping', end);
  res.write(`retry: ${RETRY_MS}\n\n`);
  const isStopping = res.getHeader('connection') === 'close';
  if (res.destroyed || isStopping) end(); // both were told before anybody listened here
  if (res.req.method === 'HEAD') end();
  return {
    send({ name, id, data }) {
      if (ended.signal.aborted) return false;
      const idLine = id === undefined ? '' : `id: ${id}\n`;
      return res.write(`${idLine}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    end,
    ended: ended.signal,
  };
}
