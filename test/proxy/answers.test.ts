import type { ApiFault } from '../../sandbox/faults.js';
import type { TestApp } from '../support/test-app.js';
import { startApiServer, type ApiServer } from './support/api-server.js';
import { signIn, startProxyApp, type Answer, type Caller } from './support/caller.js';

let app: TestApp;
let evil: ApiServer;
let caller: Caller;
beforeAll(async () => {
  evil = await startApiServer();
  app = await startProxyApp({ env: { SESSION_IDLE_S: '86400', SESSION_MAX_S: '604800' } });
  caller = await signIn(app);
});
afterAll(async () => {
  await app.close();
  await evil.close();
});
beforeEach(async () => {
  await app.services.quota.forget();
  app.sandbox.control.reset();
  app.sandbox.control.clearRequests();
});

const counters = () => app.sandbox.control.state().counters;
const apiDoes = (...api: ApiFault[]) => app.sandbox.control.set({ api });
const profile = () => caller.read('/api/company/profile');
/** Past the time a profile is cached for. */
const dashboard = (): Promise<Answer> => {
  app.clock.skipMs(61_000);
  return caller.read('/dashboard', { accept: 'text/html' });
};
/** The page makes other calls, too: each part of it is alone. */
const profileCalls = (): number => counters().apiByPath['/company/profile'] ?? 0;
const raw = (
  status: number,
  body: string,
  contentType: string,
  headers: Record<string, string> = {},
): ApiFault => ({
  mode: 'rawBody',
  status,
  body,
  contentType,
  headers,
});

const ALARMING = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>';

describe('what is not JSON is not relayed', () => {
  it.each<[string, ApiFault]>([
    ['HTML', { mode: 'html' }],
    ['HTML with an error status', { mode: 'html', status: 403 }],
    ['an SVG image', raw(200, ALARMING, 'image/svg+xml')],
    ['a script', raw(200, 'alert(1)', 'text/javascript')],
    ['no media type', raw(200, '{"error":false}', '')],
    ['JSON that calls itself HTML', raw(200, '{"error":false,"data":"<script>"}', 'text/html')],
    ['JSON that calls itself text', raw(200, '{"error":false}', 'text/plain')],
    ['a media type that merely begins like JSON', raw(200, '{"error":false}', 'application/jsonp')],
    ['two media types', raw(200, '{"error":false}', 'text/html, application/json')],
    ['JSON as a parameter', raw(200, '{"error":false}', 'text/html; x=application/json')],
    ['broken JSON', raw(200, '{"error":false', 'application/json')],
    ['HTML that calls itself JSON', raw(200, ALARMING, 'application/json')],
    ['only spaces', raw(200, '   ', 'application/json')],
    ['a long answer of another type', { mode: 'huge', bytes: 200_000, contentType: 'text/html' }],
    ['a long answer in chunks of another type', { mode: 'huge', bytes: 200_000, chunked: true, contentType: 'text/html' }], // prettier-ignore
  ])('[H07] neither by /api nor on a page: %s', async (_name, fault) => {
    apiDoes({ ...fault, times: 0 });
    const answers = [await profile(), await dashboard()];
    expect(answers.map(({ status }) => status)).toEqual([502, 502]);
    expect(answers[0]?.headers['content-type']).toMatch(/^application\/json/);
    for (const { bytes } of answers)
      expect(bytes.toString()).not.toMatch(/onload|alert\(|Attention required|xxxx/);
    expect([profileCalls(), counters().refreshOk]).toEqual([2, 0]);
  });

  it('and is named in the event by its media type alone', async () => {
    apiDoes(raw(200, ALARMING, `text/html; charset=${'x'.repeat(100)}`));
    await profile();
    expect(app.events.findLast(({ type }) => type === 'api_failed')).toMatchObject({
      reason: 'answer_not_json',
      status: 200,
      contentType: 'text/html',
    });
  });

  it.each([
    'application/json',
    'application/json;charset=utf-8',
    'Application/JSON',
    'application/problem+json',
  ])('[H07] what is JSON keeps its media type: %s', async (type) => {
    apiDoes(raw(404, '{"error":true,"message":"x","code":404}', type));
    const { status, headers } = await profile();
    expect(status).toBe(404);
    expect(String(headers['content-type']).toLowerCase().split(';')[0]).toBe(
      type.toLowerCase().split(';')[0],
    );
    expect(headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('a redirect of the API is not followed', () => {
  it.each([301, 302, 303, 307, 308])('[H08] to another host: %i', async (status) => {
    apiDoes({
      mode: 'redirect',
      status,
      location: `${evil.origin}/external-api/v1/company/profile`,
      times: 0,
    });
    const answers = [
      await profile(),
      await caller.write('POST', '/api/debts', '{}'),
      await dashboard(),
    ];
    expect(answers.map((answer) => [answer.status, answer.headers['location']])).toEqual(Array(3).fill([502, undefined])); // prettier-ignore
    expect(evil.received).toEqual([]);
    expect(profileCalls()).toBe(2);
  });

  it.each([301, 302, 303, 307, 308])('[H08] to our own token address: %i', async (status) => {
    const before = counters().tokenCalls;
    apiDoes({ mode: 'redirect', status, location: `${app.sandbox.origin}/oauth/token`, times: 2 });
    const answers = [await profile(), await caller.write('DELETE', '/api/debts/d1')];
    expect(answers.map((answer) => answer.status)).toEqual([502, 502]);
    expect([counters().tokenCalls, counters().apiCalls]).toEqual([before, 2]);
  });

  it.each(['/external-api/v1/company/users', '//evil.example/', '', 'company/users'])(
    '[H08] to a relative address: %j',
    async (location) => {
      apiDoes({ mode: 'redirect', status: 302, location });
      expect((await profile()).status).toBe(502);
      expect(counters().apiCalls).toBe(1);
    },
  );
});

describe('an error of the API', () => {
  it.each([400, 403, 404, 405, 409, 410, 418, 422])(
    '[H11] keeps its status and its own JSON: %i',
    async (status) => {
      const body = `{"error":true, "message":"É <b>",  "code":${status}, "details":{"phone":["Phone number is required"]}}`;
      apiDoes(raw(status, body, 'application/json'));
      const answer = await caller.write('POST', '/api/debts', '{}');
      expect([answer.status, answer.bytes.toString()]).toEqual([status, body]);
    },
  );

  it.each(['{"error":true}', '{"error":true,"code":404}', '{"error":true,"code":200}'])(
    '[H11] has the status of HTTP, whatever its JSON says: 409 with %s',
    async (body) => {
      apiDoes(raw(409, body, 'application/json'));
      const answer = await profile();
      expect([answer.status, answer.bytes.toString()]).toEqual([409, body]);
    },
  );

  it.each([500, 501, 502, 503, 504, 520, 599])(
    '[H11] of its own making is 502: %i',
    async (status) => {
      apiDoes({ mode: 'status', status, body: { error: true, message: 'SQLSTATE[HY000] at /var/www', code: status }, times: 0 }); // prettier-ignore
      const answers = [await profile(), await dashboard()];
      expect(answers.map((answer) => answer.status)).toEqual([502, 502]);
      expect(answers[0]?.json).toEqual({
        error: 'getbill_error',
        request_id: expect.any(String) as unknown,
        doc_url: expect.stringMatching(/^http:.+\/errors\/getbill_error$/) as unknown,
      });
      expect(answers[1]?.bytes.toString()).not.toMatch(/SQLSTATE/);
      expect(profileCalls()).toBe(2);
    },
  );

  it.each([
    ['seconds', '7', '7'],
    ['a date', 'Mon, 01 Jun 2026 12:00:30 GMT', '30'],
    ['nonsense', 'soon', undefined],
  ])('[H11] keeps the Retry-After of a maintenance: %s', async (_what, said, expected) => {
    const headers = { 'retry-after': said, date: 'Mon, 01 Jun 2026 12:00:00 GMT' };
    apiDoes({ ...raw(503, '<h1>Maintenance</h1>', 'text/html', headers), times: 0 });
    for (const answer of [await profile(), await caller.write('POST', '/api/debts', '{}')])
      expect([answer.status, answer.headers['retry-after']]).toEqual([502, expected]);
  });

  it.each([
    [403, 403],
    [404, 404],
    [422, 422],
    [500, 502],
    [503, 502],
    [200, 502],
    [302, 502],
    [999, 502],
  ])('[H11] in a 200 is judged by its code: %i becomes %i', async (code, status) => {
    apiDoes({ mode: 'errorIn200', code });
    expect((await profile()).status).toBe(status);
  });

  it.each([407, 408, 421, 425])(
    'about its connection is 502, because a browser would send a write again: %i',
    async (status) => {
      const body = { error: true, message: 'x', code: status };
      for (const fault of [
        { mode: 'status', status, body },
        { mode: 'errorIn200', code: status },
      ]) {
        apiDoes(fault as ApiFault);
        const answer = await caller.write('POST', '/api/debts', '{}');
        expect([answer.status, answer.json['error']]).toEqual([502, 'answer_status_unexpected']);
      }
    },
  );

  it('[H11] in a 200 without a usable code is 502, and "error": false or a text is no error', async () => {
    const bodies: [string, number][] = [
      ['{"error":true}', 502],
      ['{"error":true,"code":"404"}', 502],
      ['{"error":true,"code":404.5}', 502],
      ['{"error":false,"code":404}', 200],
      ['{"error":"none","code":404}', 200],
      ['[{"error":true,"code":404}]', 200],
      ['null', 200],
      ['"text"', 200],
      ['12', 200],
    ];
    for (const [body, status] of bodies) {
      apiDoes(raw(200, body, 'application/json'));
      const answer = await profile();
      expect([body, answer.status]).toEqual([body, status]);
      if (status === 200) expect(answer.bytes.toString()).toBe(body);
    }
  });

  it('[H11] in a 200 with the code 401 is a rejected token: renewed once, and the call made again', async () => {
    apiDoes({ mode: 'errorIn200', code: 401 });
    const answer = await profile();
    expect([answer.status, (answer.json['data'] as { name: string }).name]).toEqual([
      200,
      'Example Collections LLC',
    ]);
    expect(counters()).toMatchObject({ apiCalls: 2, refreshOk: 1 });
  });

  it('[H11] in a 200 with the code 401 is one on a page, too', async () => {
    apiDoes({ mode: 'errorIn200', code: 401, path: '/company/profile' });
    const answer = await dashboard();
    expect(answer.status).toBe(200);
    expect(answer.bytes.toString()).toContain('Example Collections LLC');
    expect([profileCalls(), counters().refreshOk]).toEqual([2, 1]);
  });
});

describe('an API that says 429', () => {
  afterEach(async () => {
    caller = await signIn(app); // a session ends in what some of these wait
  });
  const inFiveMinutes = (): string => String(Math.ceil((app.services.now() + 300_000) / 1000));
  const tooMany = (details?: object): string => JSON.stringify({ error: true, message: 'Rate limit exceeded. Please try again later.', code: 429, ...(details && { details }) }); // prettier-ignore

  /** Then waits, so that the next call is made again. */
  function waitOf({ headers }: Answer): number {
    const seconds = Number(headers['retry-after']);
    app.clock.skipMs(seconds * 1000 + 1);
    return seconds;
  }

  it.each<[string, () => ApiFault, number, number]>([
    [
      'details.retry_after',
      () => raw(429, tooMany({ retry_after: 1800 }), 'application/json'),
      1800,
      1800,
    ],
    [
      'details.retry_after as text',
      () => raw(429, tooMany({ retry_after: '90' }), 'application/json'),
      90,
      90,
    ],
    [
      'the header',
      () => raw(429, tooMany({ retry_after: 1800 }), 'application/json', { 'retry-after': '7' }),
      7,
      7,
    ],
    [
      'the header as a date',
      () =>
        raw(429, tooMany({ retry_after: 1800 }), 'application/json', {
          'retry-after': new Date(app.services.now() + 300_000).toUTCString(),
        }),
      290,
      301,
    ],
    ['X-RateLimit-Reset', () => raw(429, tooMany(), 'application/json', { 'x-ratelimit-reset': inFiveMinutes() }), 290, 301], // prettier-ignore
    ['nothing', () => raw(429, tooMany(), 'application/json'), 60, 60],
    [
      'nonsense',
      () => raw(429, tooMany({ retry_after: -5 }), 'application/json', { 'retry-after': 'soon' }),
      60,
      60,
    ],
    ['no time at all', () => raw(429, tooMany({ retry_after: 0 }), 'application/json'), 1, 1],
    [
      'an error in a 200',
      () => raw(200, tooMany({ retry_after: 1800 }), 'application/json'),
      1800,
      1800,
    ],
    ['an empty answer', () => raw(429, '', 'application/json', { 'retry-after': '30' }), 30, 30],
    [
      'far too long a time',
      () => raw(429, tooMany({ retry_after: 9e9 }), 'application/json'),
      86_400,
      86_400,
    ],
  ])('[H11] is passed on with Retry-After, from %s', async (_name, fault, atLeastS, atMostS) => {
    const visitor = await signIn(app);
    apiDoes(fault());
    const answer = await visitor.read('/api/company/profile');
    expect(answer.status).toBe(429);
    if (answer.bytes.length > 0) expect(answer.json).toMatchObject({ error: true, code: 429 });
    const seconds = waitOf(answer);
    expect([seconds >= atLeastS, seconds <= atMostS, seconds]).toEqual([true, true, seconds]);
  });

  it('[H11] is told to a person as well, with Retry-After', async () => {
    const visitor = await signIn(app);
    apiDoes({ mode: 'rateLimited', retryAfterS: 120, path: '/company/profile' });
    const answer = await visitor.read('/dashboard', { accept: 'text/html' });
    expect(answer.status).toBe(429);
    expect(answer.headers['content-type']).toMatch(/^text\/html/);
    expect(waitOf(answer)).toBe(120);
  });
});
