import { Agent, request } from 'node:http';
import type { ApiFault } from '../../sandbox/faults.js';
import { inBackground, setUp } from './helpers.js';
import { until } from '../support/until.js';

/** A signed-in client whose next API call meets `faults`. */
async function withFaults(...faults: ApiFault[]) {
  const setup = await setUp();
  const { access_token: accessToken } = await setup.signIn();
  setup.control.set({ api: faults });
  return { ...setup, accessToken, profile: () => setup.api('/company/profile', accessToken) };
}

describe('API faults', () => {
  it.each<[ApiFault, { status: number; type: string; text: RegExp }]>([
    [
      { mode: 'unauthorized' },
      { status: 401, type: 'application/json', text: /credentials are missing or invalid/ },
    ],
    [
      { mode: 'html', status: 503 },
      { status: 503, type: 'text/html', text: /^<!doctype html>/ },
    ],
    [{ mode: 'html' }, { status: 200, type: 'text/html', text: /^<!doctype html>/ }],
    [
      { mode: 'status', status: 502 },
      { status: 502, type: '', text: /^$/ },
    ],
    [
      { mode: 'status', status: 500, body: { a: 1 } },
      { status: 500, type: 'application/json', text: /^{"a":1}$/ },
    ],
    [
      { mode: 'redirect', status: 302, location: 'http://localhost:1/' },
      { status: 302, type: '', text: /^$/ },
    ],
    [
      { mode: 'errorIn200', code: 500 },
      { status: 200, type: 'application/json', text: /"error":true.*"code":500/ },
    ],
    [
      {
        mode: 'rawBody',
        status: 206,
        body: 'é',
        contentType: 'text/plain',
        headers: { 'x-a': 'b' },
      },
      { status: 206, type: 'text/plain', text: /^é$/ },
    ],
    [
      {
        mode: 'rawBody',
        status: 200,
        body: 'aGVsbG8=',
        base64: true,
        contentType: 'application/pdf',
      },
      { status: 200, type: 'application/pdf', text: /^hello$/ },
    ],
  ])('%j answers in the place of the API, and the next call is normal', async (fault, expected) => {
    const { profile } = await withFaults(fault);
    const answer = await profile();
    expect(answer.status).toBe(expected.status);
    expect(answer.headers.get('content-type') ?? '').toContain(expected.type);
    expect(answer.text).toMatch(expected.text);
    expect((await profile()).status).toBe(200);
  });

  it('redirect and rawBody send their headers', async () => {
    const { profile } = await withFaults(
      { mode: 'redirect', status: 302, location: 'http://localhost:1/' },
      {
        mode: 'rawBody',
        status: 200,
        body: '',
        contentType: 'text/plain',
        headers: { 'set-cookie': 'a=b' },
      },
    );
    expect((await profile()).headers.get('location')).toBe('http://localhost:1/');
    expect((await profile()).headers.getSetCookie()).toEqual(['a=b']);
  });

  it('unauthorized is counted and may last', async () => {
    const { profile, control } = await withFaults({ mode: 'unauthorized', times: Infinity });
    expect([(await profile()).status, (await profile()).status]).toEqual([401, 401]);
    expect(control.state().counters.apiUnauthorized).toBe(2);
  });

  it.each([true, false])(
    'rateLimited tells when to come back, Retry-After header: %s',
    async (header) => {
      const { profile } = await withFaults({ mode: 'rateLimited', retryAfterS: 12, header });
      const { status, headers, json } = await profile();
      expect([status, headers.get('retry-after')]).toEqual([429, header ? '12' : null]);
      expect(headers.get('x-ratelimit-remaining')).toBe('0');
      expect(json).toMatchObject({ code: 429, details: { retry_after: 12, limit: 1000 } });
    },
  );

  it.each([true, false])('huge is JSON of the asked size, chunked: %s', async (chunked) => {
    const { profile } = await withFaults({ mode: 'huge', bytes: 300_000, chunked });
    const { headers, text, json } = await profile();
    expect(headers.get('content-length')).toBe(chunked ? null : '300000');
    expect(text).toHaveLength(300_000);
    expect(json['error']).toBe(false);
  });

  it('gzip is the normal answer, compressed', async () => {
    const { profile } = await withFaults({ mode: 'gzip' });
    const { headers, json } = await profile();
    expect(headers.get('content-encoding')).toBe('gzip');
    expect(json).toMatchObject({ data: { name: 'Example Collections LLC' } });
  });

  it('slow is the normal answer, later', async () => {
    const { profile } = await withFaults({ mode: 'slow', ms: 60 });
    const startedMs = performance.now();
    expect((await profile()).status).toBe(200);
    expect(performance.now() - startedMs).toBeGreaterThan(55);
  });

  it('trickle is the normal answer, in small pieces', async () => {
    const { origin, accessToken } = await withFaults({ mode: 'trickle', bytesPerS: 2000 });
    const pieces = await piecesOf(`${origin}/external-api/v1/company/profile`, accessToken);
    expect(pieces.length).toBeGreaterThan(1);
    expect(JSON.parse(pieces.join(''))).toMatchObject({ error: false });
  });

  it('cut ends the connection before the answer does', async () => {
    const { origin, accessToken } = await withFaults({ mode: 'cut', afterBytes: 20 });
    const received: string[] = [];
    await expect(
      piecesOf(`${origin}/external-api/v1/company/profile`, accessToken, received),
    ).rejects.toThrow();
    expect(received.join('')).toHaveLength(20);
  });

  it('drop ends the connection without an answer', async () => {
    const { profile } = await withFaults({ mode: 'drop' });
    await expect(profile()).rejects.toThrow();
    expect((await profile()).status).toBe(200);
  });

  it('hang never answers', async () => {
    const { profile, control, sandbox } = await withFaults({ mode: 'hang' });
    const call = inBackground(profile());
    await until('the call has come', () => control.state().counters.apiCalls === 1);
    expect((await profile()).status).toBe(200);
    expect(call.settled()).toBe(false);
    await sandbox.close();
    await expect(call.result).rejects.toThrow();
  });

  it('hold answers after release', async () => {
    const { profile, control } = await withFaults({ mode: 'hold' });
    const call = inBackground(profile());
    await until('the call is held', () => control.state().held === 1);
    expect((await profile()).status).toBe(200);
    expect(call.settled()).toBe(false);
    control.release();
    expect((await call.result).status).toBe(200);
  });

  it('are kept for the path and the method they are meant for', async () => {
    const { profile, api, write, accessToken } = await withFaults(
      { mode: 'status', status: 500, method: 'post' },
      { mode: 'status', status: 502, path: '/debts' },
    );
    expect((await profile()).status).toBe(200);
    expect((await api('/debts/x', accessToken)).status).toBe(502);
    expect((await api('/debts', accessToken)).status).toBe(200);
    expect((await write('POST', '/followups', accessToken, {})).status).toBe(500);
  });
});

/** The body as the pieces in which it arrived. */
function piecesOf(url: string, accessToken: string, received: string[] = []): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: true });
    const sent = request(
      url,
      { headers: { authorization: `Bearer ${accessToken}` }, agent },
      (response) => {
        response.setEncoding('utf8');
        response.on('data', (piece: string) => received.push(piece));
        response.on('end', () => {
          agent.destroy();
          resolve(received);
        });
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}
