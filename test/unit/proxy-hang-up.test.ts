import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { request } from 'undici';
import { createAgent } from '../../src/getbill/agent.js';
import { secret } from '../../src/secret.js';

/** What becomes of a call through a proxy that does this when it is asked for a connection. */
async function callThrough(onConnect: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const proxy = createServer((socket) => {
    sockets.push(socket);
    socket.once('data', () => onConnect(socket));
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const dispatcher = createAgent({
    config: {
      caFile: undefined,
      timeoutMs: 1_000,
      proxy: { http: undefined, https: secret(url), except: '' },
    },
    checkPins: undefined,
    connections: 2,
    keepAlive: true,
  });
  const call = request('https://getbill.example/', {
    dispatcher,
    signal: AbortSignal.timeout(1_000),
  });
  await expect(call).rejects.toMatchObject({ code: 'PROXY_CONNECT_FAILED' });
  return {
    sockets,
    close: async () => {
      await dispatcher.destroy();
      proxy.close();
    },
  };
}

it('a proxy that hangs up at CONNECT fails the call and is asked once: it was asked hundreds of times a second', async () => {
  const { sockets, close } = await callThrough((socket) => socket.end());
  expect(sockets).toHaveLength(1);
  await close();
});

it('a proxy that refuses, and leaves the connection open, is hung up on', async () => {
  const { sockets, close } = await callThrough((socket) => socket.write('HTTP/1.1 403 No\r\n\r\n'));
  const [socket] = sockets;
  if (socket?.closed === false) await once(socket.resume(), 'close');
  await close();
});
