import { createHash, randomBytes } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { request } from 'undici';
import { createApp } from '../../src/app.js';
import { createHttpServer } from '../../src/server.js';
import type { TestApp } from '../support/test-app.js';
import { EMPTY_SUCCESS, json, startApiServer, type ApiServer } from './support/api-server.js';
import { send, signIn, startProxyApp, type Caller } from './support/caller.js';
import { exchange, rawRequest } from './support/raw-http.js';

const KIB = 1024;
const MIB = 1024 * KIB;

let app: TestApp;
let api: ApiServer;
let caller: Caller;
beforeAll(async () => {
  api = await startApiServer();
  app = await startProxyApp({ env: { GETBILL_API_URL: api.apiUrl, GETBILL_TIMEOUT_MS: '20000' } });
  caller = await signIn(app);
});
afterAll(async () => {
  await app.close();
  await api.close();
});
beforeEach(() => {
  api.received.length = 0;
  api.answerWith((res) => json(res, 200, EMPTY_SUCCESS));
});

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** JSON of exactly that many bytes, of which no part is like another. */
function jsonOf(bytes: number): Buffer {
  const frame = '{"data":""}';
  const filling = randomBytes(bytes)
    .toString('base64url')
    .slice(0, bytes - frame.length);
  return Buffer.from(`{"data":"${filling}"}`);
}

describe('a body on its way up', () => {
  it.each([
    ['POST', '/api/debts', 2],
    ['PUT', '/api/debts/d1', 64 * KIB],
    ['PATCH', '/api/creditors/c1', 64 * KIB + 1],
    ['DELETE', '/api/debts/d1', 17],
    ['POST', '/api/debts', MIB],
  ])('[immunity 24] arrives byte for byte by %s %s: %i bytes', async (method, path, size) => {
    const body = size === 2 ? Buffer.from('[]') : jsonOf(size);
    const answer = await caller.write(method, path, body);
    expect([answer.status, answer.bytes.toString()]).toEqual([200, EMPTY_SUCCESS]);
    expect(api.received.map((one) => [one.method, one.body.length, sha256(one.body)])).toEqual([[method, size, sha256(body)]]); // prettier-ignore
  });

  it('[immunity 24] arrives byte for byte when it comes in chunks, and with its true length', async () => {
    const body = jsonOf(300 * KIB);
    const chunks = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < body.length; at += 10_000)
          controller.enqueue(body.subarray(at, at + 10_000));
        controller.close();
      },
    });
    expect((await caller.write('POST', '/api/debts', chunks)).status).toBe(200);
    const [one] = api.received;
    expect(sha256(one?.body ?? Buffer.alloc(0))).toBe(sha256(body));
    expect(headerOf(one?.rawHeaders, 'content-length')).toBe(String(body.length));
    expect(headerOf(one?.rawHeaders, 'transfer-encoding')).toBeUndefined();
  });

  it('[immunity 24] keeps spaces, order, repeated names, escapes and numbers as they are', async () => {
    const body =
      '\n{ "b" : 1.0 , "a":1e2,"a":12345678901234567890, "é":"\\u00e9 é \\/","__proto__":{}}  ';
    await caller.write('POST', '/api/debts', body, {
      'content-type': 'application/json;charset="utf-8"',
    });
    expect(api.received.map((one) => one.body.toString())).toEqual([body]);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    '[immunity 24] may be empty by %s, whether JSON is announced or not',
    async (method) => {
      const path = method === 'POST' ? '/api/debts' : '/api/creditors/c1'.replace('creditors', method === 'DELETE' ? 'debts' : 'creditors'); // prettier-ignore
      const announced = { 'content-type': 'application/json' };
      const answers = [
        await caller.write(method, path),
        await caller.write(method, path, undefined, announced),
        await caller.write(method, path, '', announced),
      ];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(api.received.map((one) => [one.method, one.body.length])).toEqual(
        Array(3).fill([method, 0]),
      );
    },
  );

  it('[H12] is not sent on with a GET', async () => {
    const answer = await caller.call('GET', '/api/debts', { headers: { 'content-type': 'application/json' }, body: '{"a":1}' }); // prettier-ignore
    const plain = await caller.call('GET', '/api/debts', {
      headers: { 'content-type': 'text/plain' },
      body: 'x',
    });
    expect([answer.status, plain.status]).toEqual([200, 200]);
    for (const one of api.received) {
      expect(one.body).toHaveLength(0);
      expect(headerOf(one.rawHeaders, 'content-length')).toBeUndefined();
      expect(headerOf(one.rawHeaders, 'content-type')).toBeUndefined();
    }
  });

  it('is refused with 413 from one byte over 1 MiB on, announced or in chunks', async () => {
    const body = jsonOf(MIB + 1);
    const chunked = new Blob([body]).stream() as ReadableStream<Uint8Array>;
    const answers = [
      await caller.write('POST', '/api/debts', body),
      await caller.write('POST', '/api/debts', chunked),
    ];
    expect(answers.map(({ status, json: { error } }) => [status, error])).toEqual([
      [413, 'body_too_large'],
      [413, 'body_too_large'],
    ]);
    expect(api.received).toEqual([]);
  });

  it.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['text/json'],
    ['application/jsonp'],
    ['application/json; charset=latin1'],
    ['application/json; charset=utf-16'],
    ['application/json; charset=utf-7; charset=utf-8'],
    ['application/json, text/plain'],
    ['nonsense'],
  ])('is refused with 415 as %s', async (type) => {
    const answer = await caller.write('POST', '/api/debts', '{"a":1}', { 'content-type': type });
    expect([answer.status, answer.json['error'], api.received]).toEqual([
      415,
      'media_type_not_supported',
      [],
    ]);
  });

  it('is refused with 415 when it is compressed', async () => {
    const answer = await caller.write('POST', '/api/debts', gzipSync('{"a":1}'), {
      'content-encoding': 'gzip',
    });
    expect([answer.status, api.received]).toEqual([415, []]);
  });

  it('is refused with 415 without a media type, announced or in chunks', async () => {
    const headers = { 'x-csrf-token': caller.csrfToken };
    const chunked = new Blob(['{"a":1}']).stream() as ReadableStream<Uint8Array>;
    const answers = [
      await caller.call('POST', '/api/debts', { headers, body: '{"a":1}' }),
      await caller.call('POST', '/api/debts', { headers, body: chunked }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([415, 415]);
    expect(api.received).toEqual([]);
  });

  it.each([
    ['cut short', '{"a":'],
    ['one bracket too many', '{"a":1}}'],
    ['the wrong quotes', "{'a':1}"],
    ['a byte order mark', '\uFEFF{"a":1}'],
    ['not a number', 'NaN'],
    ['a NUL after it', '{"a":1}\0'],
    ['half a million arrays, none of them closed', '['.repeat(500_000)],
    ['150,000 objects, none of them closed', '{"a":'.repeat(150_000)],
  ])('is refused with 400 when it is not JSON: %s', async (_name, body) => {
    const answer = await caller.write('POST', '/api/debts', body);
    expect([answer.status, answer.json['error'], api.received]).toEqual([400, 'bad_request', []]);
  });

  it('is never parsed whole when it is long: that would hold up everybody else', async () => {
    const parse = jest.spyOn(JSON, 'parse');
    try {
      expect((await caller.write('POST', '/api/debts', jsonOf(MIB))).status).toBe(200);
      const lengths = parse.mock.calls.map(([text]) => text.length);
      expect(Math.max(0, ...lengths)).toBeLessThan(16 * KIB);
    } finally {
      parse.mockRestore();
    }
  });

  it('may be as deep as 1 MiB allows: the process lives, and the API decides', async () => {
    const body = '['.repeat(500_000) + ']'.repeat(500_000);
    api.answerWith((res) => json(res, 400, '{"error":true,"message":"Invalid JSON","code":400}'));
    expect((await caller.write('POST', '/api/debts', body)).status).toBe(400);
    expect(api.received.map((one) => one.body.length)).toEqual([1_000_000]);
    expect((await caller.read('/healthz')).status).toBe(200);
  });
});

describe('a request that says twice how long it is', () => {
  const write = (headers: string[], body: string) =>
    exchange(
      app.origin,
      rawRequest('POST', '/api/debts', ['Host: x', `Cookie: ${caller.cookie()}`, `X-CSRF-Token: ${caller.csrfToken}`, 'Content-Type: application/json', ...headers], body), // prettier-ignore
    );
  const smuggled = 'GET /api/company/profile HTTP/1.1\r\nHost: x\r\n\r\n';

  it.each([
    [
      'a length and chunks',
      ['Content-Length: 4', 'Transfer-Encoding: chunked'],
      `0\r\n\r\n${smuggled}`,
    ],
    [
      'chunks and a length',
      ['Transfer-Encoding: chunked', 'Content-Length: 4'],
      `0\r\n\r\n${smuggled}`,
    ],
    ['two lengths', ['Content-Length: 2', 'Content-Length: 4'], `{}${smuggled}`],
    ['one length twice', ['Content-Length: 2', 'Content-Length: 2'], `{}${smuggled}`],
    ['a list of lengths', ['Content-Length: 2, 4'], `{}${smuggled}`],
    ['a signed length', ['Content-Length: +2'], `{}${smuggled}`],
    [
      'chunks that are not the last coding',
      ['Transfer-Encoding: chunked, identity'],
      `0\r\n\r\n${smuggled}`,
    ],
    ['a space before the colon', ['Content-Length : 2'], `{}${smuggled}`],
    ['a folded header', ['Transfer-Encoding:\r\n chunked', 'Content-Length: 2'], `{}${smuggled}`],
    [
      'a chunk size that is none',
      ['Transfer-Encoding: chunked'],
      `0x2\r\n{}\r\n0\r\n\r\n${smuggled}`,
    ],
  ])('[H12] is refused with 400, and the connection with it: %s', async (_name, headers, body) => {
    const answer = await write(headers, body);
    expect([answer.status, answer.body]).toEqual([400, '']);
    expect(api.received).toEqual([]);
  });
});

describe('a body on its way down', () => {
  const relay = (bytes: Buffer, headers: Record<string, string> = {}, status = 200) => {
    api.answerWith((res) => json(res, status, bytes, headers));
    return caller.read('/api/debts', { 'accept-encoding': 'gzip, br, deflate' });
  };

  it.each([
    ['64 KiB', 64 * KIB],
    ['64 KiB and a byte', 64 * KIB + 1],
    ['1 MiB', MIB],
    ['16 MiB', 16 * MIB],
  ])('[immunity 24] arrives byte for byte: %s', async (_name, size) => {
    const body = jsonOf(size);
    const answer = await relay(body);
    expect([answer.status, answer.bytes.length, sha256(answer.bytes)]).toEqual([
      200,
      size,
      sha256(body),
    ]);
  });

  it.each([
    ['gzip, small', 'gzip', gzipSync, 20 * KIB],
    ['gzip, large', 'gzip', gzipSync, 2 * MIB],
    ['br, small', 'br', brotliCompressSync, 20 * KIB],
    ['br, large', 'br', (body: Buffer) => brotliCompressSync(body, { params: { 1: 1 } }), 2 * MIB],
    ['deflate, small', 'deflate', deflateSync, 20 * KIB],
    ['GZIP in capitals', 'GZIP', gzipSync, 20 * KIB],
  ])(
    '[immunity 24] arrives byte for byte, compressed as it came: %s',
    async (_name, encoding, compress, size) => {
      const body = compress(jsonOf(size));
      const answer = await relay(body, { 'content-encoding': encoding });
      expect([answer.status, answer.headers['content-encoding']]).toEqual([200, encoding]);
      expect(sha256(answer.bytes)).toBe(sha256(body));
    },
  );

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])(
    '[immunity 24] arrives byte for byte when it is small compressed and large unpacked: %s',
    async (encoding, compress) => {
      const body = compress(`{"data":[${Array(40_000).fill('{"status":"status.default.pending","amount":1250}').join()}]}`); // prettier-ignore
      expect(body.length).toBeLessThan(64 * KIB);
      const answer = await relay(body, { 'content-encoding': encoding });
      expect([answer.status, sha256(answer.bytes)]).toEqual([200, sha256(body)]);
    },
  );

  it('[immunity 24] is judged under its compression: an error in a 200 is found', async () => {
    const body = gzipSync('{"error":true,"message":"gone","code":404}');
    const answer = await relay(body, { 'content-encoding': 'gzip' });
    expect([answer.status, sha256(answer.bytes)]).toEqual([404, sha256(body)]);
  });

  it.each([
    ['not what it says', 'gzip', Buffer.from('{"error":false}')],
    ['cut short', 'gzip', gzipSync(jsonOf(5000)).subarray(0, 1000)],
    ['in a coding nobody asked for', 'zstd', Buffer.from('{"error":false}')],
    ['not JSON underneath', 'br', brotliCompressSync('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ])('[H07] is refused with 502 when it is compressed and %s', async (_name, encoding, body) => {
    expect((await relay(body, { 'content-encoding': encoding })).status).toBe(502);
  });

  it.each([200, 201, 204, 404])('[immunity 24] may be empty: %i', async (status) => {
    const described = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    api.answerWith((res) => res.writeHead(status, described).end());
    const answer = await caller.write('DELETE', '/api/debts/d1');
    expect([answer.status, answer.bytes.length]).toEqual([status, 0]);
    expect(answer.headers['content-length']).toBe(status === 204 ? undefined : '0'); // RFC 9110 section 8.6
    for (const name of Object.keys(described))
      expect([name, answer.headers[name]]).toEqual([name, undefined]);
  });

  it.each([205, 206, 226, 300, 302, 304, 307, 600, 700, 999])(
    'is refused with 502 when its status is %i',
    async (status) => {
      api.answerWith((res) => {
        res.socket?.end(
          `HTTP/1.1 ${status} Odd\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n`,
        );
      });
      expect((await caller.read('/api/debts')).status).toBe(502);
      expect((await caller.read('/debts', { accept: 'text/html' })).status).toBe(502);
    },
  );

  it('comes after an early hint, and a 204 has none whatever follows it', async () => {
    api.answerWith((res) => {
      res.socket?.write('HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n');
      json(res, 200, EMPTY_SUCCESS);
    });
    const answer = await caller.read('/api/debts');
    expect([answer.status, answer.bytes.toString(), answer.headers['link']]).toEqual([
      200,
      EMPTY_SUCCESS,
      undefined,
    ]);
    for (const length of ['', 'Content-Length: 7\r\n']) {
      api.answerWith(
        (res) =>
          void res.socket?.end(
            `HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\n${length}\r\n{"a":1}`,
          ),
      );
      const empty = await caller.write('DELETE', '/api/debts/d1');
      expect([empty.status, empty.bytes.length]).toEqual([204, 0]);
    }
  });

  it('[H07] is read no further when it is long and no JSON: its call ends', async () => {
    const page = '<p>'.repeat(100 * KIB);
    api.answerWith((res) => void res.writeHead(200, { 'content-type': 'text/html' }).write(page));
    expect((await caller.read('/api/debts')).status).toBe(502);
    await api.callsEnded();
  });

  it('may begin with a byte order mark, also where an error hides in a 200', async () => {
    expect((await relay(Buffer.from('\uFEFF{"error":false,"data":[]}'))).status).toBe(200);
    expect((await relay(Buffer.from('\uFEFF{"error":true,"code":404}'))).status).toBe(404);
  });

  it.each([
    ['x-gzip', gzipSync],
    ['Deflate', deflateRawSync],
    ['identity', (body: Buffer) => body],
  ])('is judged whatever the coding is called: %s', async (encoding, compress) => {
    const body = compress(Buffer.from('{"error":true,"code":404}'));
    expect((await relay(body, { 'content-encoding': encoding })).status).toBe(404);
  });

  describe('on a page', () => {
    const HTML = { accept: 'text/html' };
    const list = (fields: object): string =>
      JSON.stringify({ error: false, data: Array(100).fill({ id: 'd1', ...fields }) });
    const page = async (bytes: Buffer, headers: Record<string, string>) => {
      api.answerWith((res) => json(res, 200, bytes, headers));
      const { status, bytes: html } = await caller.read('/debts', HTML);
      return [status, html.includes('Éloïse')];
    };

    it.each([
      ['gzip', gzipSync],
      ['br', brotliCompressSync],
      ['deflate', deflateRawSync],
    ])(
      'may be compressed although nobody asked for it, as long as another: %s',
      async (encoding, compress) => {
        const body = Buffer.from(list({ firstname: 'Éloïse', summary: 'x'.repeat(5_000) }));
        expect(await page(body, {})).toEqual([200, true]);
        expect(await page(compress(body), { 'content-encoding': encoding })).toEqual([200, true]);
      },
    );

    it('is refused with 502 when it is a mebibyte, or one unpacked', async () => {
      const body = Buffer.from(list({ firstname: 'Éloïse', summary: 'x'.repeat(11_000) }));
      expect(await page(body, {})).toEqual([502, false]);
      expect(await page(gzipSync(body), { 'content-encoding': 'gzip' })).toEqual([502, false]);
    });

    it.each<[string, string, BufferEncoding, number]>([
      ['ISO-8859-1', 'application/json; charset=ISO-8859-1', 'latin1', 1],
      ['ISO-8859-1, long', 'application/json;charset="iso-8859-1"', 'latin1', 2_000],
      ['UTF-16', 'application/json; charset=utf-16le', 'utf16le', 1],
      ['a charset that nobody knows', 'application/json; charset=x-none', 'utf8', 1],
    ])('is read in the charset that it names: %s', async (_name, type, encoding, length) => {
      const body = Buffer.from(
        list({ firstname: 'Éloïse', summary: 'x'.repeat(length) }),
        encoding,
      );
      expect(await page(body, { 'content-type': type })).toEqual([200, true]);
    });
  });

  it('brings no warning of Node into the log, however long it is', async () => {
    let [most, allowed] = [0, Infinity];
    const handle = createApp(app.services, { isReady: () => Promise.resolve(true) });
    const watched: RequestListener = (req, res) => {
      res.on('newListener', (name) => {
        if (name === 'close') most = Math.max(most, res.listenerCount('close') + 1);
        allowed = res.getMaxListeners();
      });
      handle(req, res);
    };
    const server = createHttpServer(watched, { keepAliveMs: 5_000 });
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    try {
      api.answerWith((res) => json(res, 200, jsonOf(MIB)));
      const headers = { cookie: caller.cookie() };
      const { bytes } = await send(`http://127.0.0.1:${port}`, 'GET', '/api/debts', { headers });
      expect(bytes).toHaveLength(MIB);
      expect(most).toBeLessThanOrEqual(allowed);
    } finally {
      await server.drain({ withinMs: 0 });
    }
  });

  it('is 502 without a Retry-After where that is a date, but the response has none of its own', async () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    api.answerWith((res) => {
      res.sendDate = false;
      json(res, 503, '{"error":true}', { 'retry-after': inAMinute });
    });
    const { status, headers } = await caller.read('/api/debts');
    expect([status, headers['retry-after']]).toEqual([502, undefined]);
  });

  it('is the same when a gateway repeats its headers', async () => {
    const answer = (headers: string[], body: Buffer) => {
      api.answerWith((res) => {
        const length = `Content-Length: ${body.length}`;
        const head = ['HTTP/1.1 200 OK', 'Connection: close', length, ...headers, '', ''];
        res.socket?.write(head.join('\r\n'));
        res.socket?.end(body);
      });
      return caller.read('/api/debts', { 'accept-encoding': 'gzip' });
    };
    const type = 'Content-Type: application/json';
    const limit = 'X-RateLimit-Limit: 1000';
    const twice = await answer([type, type, limit, limit], Buffer.from(EMPTY_SUCCESS));
    expect([
      twice.status,
      twice.headers['content-type'],
      twice.headers['x-ratelimit-limit'],
    ]).toEqual([200, 'application/json', '1000']);
    const different = [type, 'Content-Type: text/html'];
    expect((await answer(different, Buffer.from(EMPTY_SUCCESS))).status).toBe(502);
    const gzip = 'Content-Encoding: gzip';
    const long = gzipSync(gzipSync(jsonOf(200 * KIB)));
    const { headers } = await answer([type, gzip, gzip], long);
    expect(headers['content-encoding']).toBe('gzip, gzip');
  });

  it('[immunity 24] comes in chunks as well as in one piece', async () => {
    const pieces = [jsonOf(30 * KIB), Buffer.from(' '.repeat(40_000)), Buffer.from('\n')];
    api.answerWith((res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      for (const piece of pieces) res.write(piece);
      res.end();
    });
    const answer = await caller.read('/api/debts');
    expect(sha256(answer.bytes)).toBe(sha256(Buffer.concat(pieces)));
  });
});

describe('an answer that is too long', () => {
  const LIMIT = 16 * MIB;
  /** Four times the limit, as fast as it is taken. Returns how much was taken so far. */
  function pour(res: ServerResponse, headers: Record<string, string | number> = {}): () => number {
    const piece = Buffer.alloc(64 * KIB, 'x');
    let poured = 0;
    const more = (): void => {
      while (!res.destroyed && poured < 4 * LIMIT) {
        poured += piece.length;
        if (!res.write(piece)) return void res.once('drain', more);
      }
      res.end();
    };
    res.writeHead(200, { 'content-type': 'application/json', ...headers });
    more();
    return () => poured;
  }

  it('[H10] is 502 when it says so, and is not read', async () => {
    let taken = (): number => NaN;
    api.answerWith((res) => void (taken = pour(res, { 'content-length': LIMIT + 1 })));
    const answer = await caller.read('/api/debts');
    expect([answer.status, answer.json['error']]).toEqual([502, 'answer_too_large']);
    await api.callsEnded();
    expect(taken()).toBeLessThan(LIMIT);
  });

  it('[H10] is cut at 16 MiB when it does not say so, with less than 64 MB of memory', async () => {
    let taken = (): number => NaN;
    api.answerWith((res) => void (taken = pour(res)));
    const before = process.memoryUsage.rss();
    const answer = await request(`${app.origin}/api/debts`, {
      headers: { cookie: caller.cookie() },
    });
    let [received, most] = [0, before];
    const whole = (async () => {
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        received += chunk.length;
        most = Math.max(most, process.memoryUsage.rss());
      }
    })();
    await expect(whole).rejects.toThrow();
    await api.callsEnded();
    expect(received).toBeLessThanOrEqual(LIMIT);
    expect(taken()).toBeLessThan(2 * LIMIT);
    expect(most - before).toBeLessThan(64_000_000);
  });

  it('[H10] takes no memory beyond that on a page either', async () => {
    let taken = (): number => NaN;
    api.answerWith((res) => void (taken = pour(res)));
    expect((await caller.read('/debts', { accept: 'text/html' })).status).toBe(502);
    await api.callsEnded();
    expect(taken()).toBeLessThan(2 * LIMIT);
  });
});

function headerOf(rawHeaders: readonly string[] = [], name: string): string | undefined {
  const at = rawHeaders.findIndex(
    (header, index) => index % 2 === 0 && header.toLowerCase() === name,
  );
  return at < 0 ? undefined : rawHeaders[at + 1];
}
