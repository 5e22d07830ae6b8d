import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { oneAtATime } from '../../src/one-at-a-time.js';

let server: Server;
let begun: number;
beforeEach(async () => {
  begun = 0;
  server = createServer(oneAtATime(() => void (begun += 1))); // and never responds
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => server.close());

/** Pipelines so many requests; resolves once the server has closed the connection. */
async function flood(requests: number): Promise<void> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').resume();
  socket.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(requests));
  await once(socket, 'close');
}

describe('a connection on which more requests wait than may', () => {
  it('is closed, with not one of them begun', async () => {
    await flood(200);
    expect(begun).toBe(0);
  });

  it('leaves the stacks of all errors that come after it', async () => {
    await flood(200);
    expect(new Error('a later one').stack).toContain('one-at-a-time.test');
  });
});
