import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { request } from 'undici';
import { createAgent } from '../../src/getbill/agent.js';
import { secret } from '../../src/secret.js';

it('a proxy that hangs up at CONNECT fails the call and is asked once: it was asked hundreds of times a second', async () => {
  let connections = 0;
  const proxy = createServer((socket) => {
    connections += 1;
    socket.once('data', () => socket.end());
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
  expect(connections).toBe(1);
  await dispatcher.destroy();
  proxy.close();
});
