import { EventEmitter, once } from 'node:events';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createHttpServer, type HttpServer } from '../../src/server.js';
import { untilAccepted } from '../../src/until-accepted.js';
import { exchange, openSocket, rawRequest } from '../proxy/support/raw-http.js';
import { until } from '../support/until.js';

const STALLED_MS = 300;
const LARGE = Buffer.alloc(16 * 1024 * 1024, 'x'); // more than both kernels buffer

let server: HttpServer;
let origin: string;
let respond: (() => void) | undefined;
let streams = 0;

function stream(res: ServerResponse): void {
  streams += 1;
  res.write('open');
  res.once('stopping', () => res.end());
  res.once('close', () => (streams -= 1));
}

const app: RequestListener = (req, res) => {
  if (req.url === '/large') res.end(LARGE);
  else if (req.url === '/late') respond = () => res.end('late');
  else if (req.url === '/stream') stream(res);
  else if (req.url === '/cookie') res.end(req.headers.cookie);
  else res.end('ok');
};

beforeEach(async () => {
  server = createHttpServer(app, {
    keepAliveMs: 5_000,
    stalledReaderMs: STALLED_MS,
    maxConnections: 3,
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  origin = `http://127.0.0.1:${port}`;
});
afterEach(() => server.drain({ withinMs: 0 }));

function get(path: string): Socket {
  const socket = openSocket(origin);
  socket.write(rawRequest('GET', path, ['Host: connect.example', 'Connection: close']));
  return socket;
}

/** Also of a connection that is reset. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

/** In pieces, each well within the time that a stalled reader has. */
async function readSlowly(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    socket.pause();
    setTimeout(() => socket.resume(), 2);
  });
  await once(socket, 'close');
  return bytes;
}

describe('the HTTP server', () => {
  it('cuts off a client that reads nothing, and no other', async () => {
    const stalled = get('/large').pause();
    const slow = readSlowly(get('/large'));
    const late = get('/late');
    let text = '';
    late.on('data', (chunk: Buffer) => (text += chunk.toString()));
    let isCut = false;
    stalled.once('close', () => (isCut = true));
    expect(await slow).toBeGreaterThan(LARGE.length);
    await until(
      'the response has been due for longer than a stalled reader has',
      () => respond !== undefined,
    );
    respond?.();
    await once(late, 'close');
    expect(text).toMatch(/late$/);
    stalled.resume();
    await until('the stalled reader is cut off', () => isCut);
    expect(stalled.bytesRead).toBeLessThan(LARGE.length);
  });

  it('keeps an idle connection for as long as it is told to, and says so', async () => {
    const balancer = openSocket(origin);
    let text = '';
    balancer.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const ask = (): void => void balancer.write(rawRequest('GET', '/', ['Host: connect.example']));
    const answers = (): number => text.split('HTTP/1.1 200').length - 1;
    ask();
    await until('it is answered', () => answers() === 1);
    expect(text).toContain('Keep-Alive: timeout=5\r\n');
    await readSlowly(get('/large')); // takes longer than a stalled reader has
    ask();
    await until('it is answered on the same connection', () => answers() === 2);
    balancer.destroy();
  });

  it('tells those that open a stream after the stop was announced, too, that it stops', async () => {
    respond = undefined as typeof respond;
    const socket = openSocket(origin);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write(rawRequest('GET', '/late', ['Host: connect.example']));
    await until('the request is there', () => respond !== undefined);
    server.announceStop();
    respond?.();
    await closed(socket);
    expect(text).toContain('Connection: close');
  });

  it.each([
    ['a request waits', ['/']],
    ['two requests wait', ['/', '/late']],
  ])('tells a stream that it stops, although %s behind it', async (_what, behind) => {
    const socket = openSocket(origin).resume();
    const headers = ['Host: connect.example'];
    socket.write(rawRequest('GET', '/stream', headers));
    await until('the stream is open', () => streams === 1);
    for (const path of behind) socket.write(rawRequest('GET', path, headers));
    await closed(get('/').resume()); // by then what was written before has arrived
    server.announceStop();
    expect(await server.drain({ withinMs: 5_000 })).toBe(0);
    expect(streams).toBe(0);
  });

  it('answers those that had connected when it stops, although it has accepted none of them', async () => {
    const request = rawRequest('POST', '/', ['Host: connect.example', 'Connection: close']);
    const responses = [1, 2, 3].map(() => exchange(origin, request));
    await new Promise<void>((resolve) => process.nextTick(resolve)); // each is known to the kernel, and to nobody else
    expect(await server.drain({ withinMs: 5_000 })).toBe(0);
    for (const response of responses) expect(await response).toMatchObject({ status: 200 });
  });

  it('waits for as many connections as can wait, not for those that come without end', async () => {
    const busy = new EventEmitter();
    let isOver = false;
    const connect = (): void => {
      busy.emit('connection');
      if (!isOver) setImmediate(connect);
    };
    connect();
    await untilAccepted(busy as Server);
    isOver = true;
  });

  it.each([
    [197, 200],
    [198, 431],
    [300, 431],
    [2_500, 431],
  ])('loses no header: with %i more a request is %i', async (count, status) => {
    const many = Array<string>(count).fill('a:b');
    const headers = ['Host: connect.example', ...many, 'Cookie: it=is-there', 'Connection: close'];
    const answer = await exchange(origin, rawRequest('GET', '/cookie', headers));
    expect(answer).toMatchObject({ status, body: status === 200 ? 'it=is-there' : '' });
  });

  it('closes connections beyond its maximum, and serves again when some have ended', async () => {
    const idle = [1, 2, 3].map(() => openSocket(origin));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    const refused = get('/').resume();
    await closed(refused);
    expect(refused.bytesRead).toBe(0);
    for (const socket of idle) socket.destroy();
    await until('it serves', async () => {
      const socket = get('/').resume();
      await closed(socket);
      return socket.bytesRead > 0;
    });
  });
});
