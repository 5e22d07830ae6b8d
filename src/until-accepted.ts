import type { Server } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** As many as Node lets wait. */
const BACKLOG = 511;

/**
 * Resolves once the connections that wait now are accepted. Node accepts one in a turn of its event
 * loop, so under load many may wait; when a server closes, the kernel resets them, with the
 * requests that they have sent.
 */
export async function untilAccepted(server: Server): Promise<void> {
  let hasAccepted = true;
  const note = (): void => void (hasAccepted = true);
  server.on('connection', note);
  for (let turns = 0; hasAccepted && turns < BACKLOG; turns++) {
    hasAccepted = false;
    await nextTurn();
    await nextTurn(); // the first may be over before the event loop has looked at its sockets
  }
  server.off('connection', note);
}
