import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface Forwarder {
  port: number;
  /** Connections that it has accepted so far. */
  accepted(): number;
  /** From now on nothing passes on the connections that are open; none is closed. New ones are not affected. */
  silence(): void;
  close(): Promise<void>;
}

/** A TCP relay that can lose packets as a firewall or NAT does that has forgotten a connection. */
export async function startForwarder({ to }: { to: () => number }): Promise<Forwarder> {
  const open = new Set<Socket>();
  let accepted = 0;
  const server = createServer((client) => {
    accepted += 1;
    const target = connect(to(), '127.0.0.1');
    for (const [from, other] of [
      [client, target],
      [target, client],
    ] as const) {
      open.add(from);
      from.pipe(other);
      from
        .on('error', () => undefined)
        .once('close', () => {
          open.delete(from);
          other.destroy();
        });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    silence() {
      for (const socket of open) socket.unpipe().pause();
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
