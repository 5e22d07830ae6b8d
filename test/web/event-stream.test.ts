import { EventEmitter } from 'node:events';
import type { Response } from 'express';
import { openEventStream } from '../../src/web/event-stream.js';

/** As Express hands it over, with what has become of it before. */
function responseThat({ isClosed = false, isLast = false, method = 'GET' }): Response {
  const res = Object.assign(new EventEmitter(), {
    req: { method },
    destroyed: isClosed,
    status: () => res,
    type: () => res,
    set: () => res,
    write: () => true,
    end: () => res,
    getHeader: () => (isLast ? 'close' : undefined),
  });
  return res as unknown as Response;
}

it.each([
  ['to a browser that has left before', { isClosed: true }, true],
  ['of a process that stops already', { isLast: true }, true],
  ['to HEAD', { method: 'HEAD' }, true],
  ['to a browser that is there', {}, false],
])('a stream %s: ended: %s', (_to, response, isEnded) => {
  const stream = openEventStream(responseThat(response), { maxMs: 60_000 });
  expect(stream.ended.aborted).toBe(isEnded);
  expect(stream.send({ name: 'x', data: 1 })).toBe(!isEnded);
  stream.end();
});
