import type { AppEvent } from '../../src/events.js';
import { createNarrator } from '../../scripts/support/narrator.js';

const AT = new Date(2026, 10, 28, 10, 52, 54).toISOString();
let columns: number;
let narrate: (line: string) => string[];
beforeEach(() => {
  columns = 80;
  narrate = createNarrator({ hasColour: false, columns: () => columns });
});

const told = (...lines: object[]): string[] =>
  lines.flatMap((line) => narrate(JSON.stringify({ time: AT, level: 30, ...line })));
const during = (...events: AppEvent[]) => events.map((event) => ({ ...event, requestId: 'r1' }));
const request = (route: string, status = 200, more: object = {}) => ({
  ...{ method: 'GET', route, status, durationMs: 46.4, requestId: 'r1', msg: 'request', ...more },
});
const called = (route: string, status: number): AppEvent => ({
  ...{
    type: 'api_called',
    limitClass: 'read',
    scope: 'debts:read',
    method: 'GET',
    route,
    status,
    durationMs: 3,
  },
});
const failed = (reason: string, status?: number, contentType?: string): AppEvent => ({
  ...{ type: 'api_failed', route: '/debts', method: 'GET', durationMs: 3 },
  ...{ reason, status, contentType },
});
/** The columns of a line, without the time. */
const columnsOf = (line = ''): string[] => line.slice(10).trim().split(/ {2,}/);
const RENEWED: AppEvent = {
  ...{ type: 'token_refreshed', grant: 'g', trigger: 'rejected', rotated: true },
  ...{ lateMs: 0, durationMs: 6.2 },
};

it('a request is one line, with the calls that went well counted', () => {
  const calls = during(called('/company/profile', 200), called('/debts', 200));
  expect(told(...calls, request('/dashboard'))).toEqual([
    '10:52:54  GET /dashboard            200 · 46 ms · 2 calls to GetBill',
  ]);
  expect(columnsOf(told(request('/'))[0])).toEqual(['GET /', '200 · 46 ms']);
});

it('a call that was rejected, renewed and sent again is one line, several of them, too', () => {
  const one = during(
    called('/company/profile', 401),
    RENEWED,
    { type: 'api_replayed', route: '/company/profile' },
    called('/company/profile', 200),
  );
  const [, line = ''] = told(...one, request('/dashboard'));
  expect(columnsOf(line)).toEqual([
    'GET /company/profile',
    '401 -> renewed (6 ms) -> sent again -> 200',
  ]);
  expect(line.length).toBeLessThan(80);
  const three = ['/company/profile', '/company/credits', '/debts'];
  const lines = told(
    ...during(...three.map((route) => called(route, 401)), RENEWED),
    ...during({ type: 'refresh_joined', grant: 'g', waitedMs: 5 }),
    ...during(...three.map((route): AppEvent => ({ type: 'api_replayed', route }))),
    ...during(...three.map((route) => called(route, 200))),
    request('/dashboard'),
  );
  expect(lines.map(columnsOf)).toEqual([
    ['GET /dashboard', '200 · 46 ms · 6 calls to GetBill'],
    ['GET /company/profile +2', '401 -> renewed (6 ms) -> sent again -> 200'],
  ]);
});

it.each<[AppEvent, string]>([
  [failed('getbill_error', 503, 'text/html'), '503 text/html -> GetBill has a problem'],
  [failed('answer_not_json', 200, 'text/html'), '200 text/html -> not JSON'],
  [failed('getbill_unreachable', 200, 'application/json'), '200 -> the connection failed'],
  [failed('getbill_timeout'), 'no response in time'],
  [failed('something_new'), 'something new'],
])('a call that failed says how: %j', (event, says) => {
  const lines = told(...during(event), request('/debts', 502));
  expect(lines.map(columnsOf)).toEqual([
    ['GET /debts', '502 · 46 ms · 1 call to GetBill'],
    ['GET /debts', says],
  ]);
});

it('events without a request are told at once, and a warning, too', () => {
  const webhook = { type: 'webhook_handled', endpoint: 'getbill', eventType: 'debt.updated' };
  expect(columnsOf(told({ ...webhook, tries: 1, durationMs: 3 })[0])).toEqual([
    'webhook debt.updated',
    'handled (3 ms)',
  ]);
  const warning = { level: 40, msg: 'suspicious value in the environment' };
  expect(columnsOf(told(warning)[0])).toEqual(['the app says', warning.msg]);
});

it('sign-in, its end and a refused renewal are told in words', () => {
  const lines = told(
    ...during(
      { type: 'login_started', login: 'l' },
      { type: 'login_completed', login: 'l', grant: 'g', scopes: ['a', 'b'], replaced: false },
      {
        type: 'refresh_failed',
        grant: 'g',
        outcome: 'transient',
        reason: 'x_y',
        retryAfterMs: 4_100,
      },
      { type: 'session_ended', grant: 'g', reason: 'refused' },
    ),
    request('/oauth/callback', 303),
  );
  expect(lines.slice(1).map(columnsOf)).toEqual([
    ['sign-in', 'the browser is sent to GetBill'],
    ['signed in', 'a b'],
    ['renewal failed', 'x y -> next try in 5 s'],
    ['session ended', 'GetBill ended the permission'],
  ]);
});

it('assets, health checks and the inspector are not told, nor what is no line of the log', () => {
  for (const route of ['/assets/*path', '/healthz', '/readyz', '/flow/events'])
    expect(told(request(route))).toEqual([]);
  expect(told(request('unmatched', 404, { path: '/tour' }))).toEqual([]);
  expect(told({ msg: 'listening' })).toEqual([]);
  for (const odd of ['', 'null', '[]', '7', '"text"', '{', 'plain words'])
    expect(narrate(odd)).toEqual([]);
});

it('no line is wider than the terminal, and none commands it', () => {
  const path = `/\u001b[2J\u001b]0;title\u0007${'x'.repeat(300)}\r\n`;
  for (columns of [20, 40, 80, 200]) {
    const [line = ''] = told(request('unmatched', 404, { path }));
    expect(line.length).toBeLessThanOrEqual(columns);
    expect(line).toMatch(/…$/);
    expect(line).not.toMatch(/\p{Cc}/u);
  }
  const coloured = createNarrator({ hasColour: true, columns: () => 80 });
  const [line = ''] = coloured(JSON.stringify({ time: AT, ...request('/debts', 502) }));
  expect(line).toContain('\u001b[31m502');
});

it('what is remembered of requests that never end is bounded', () => {
  for (let number = 0; number < 5_000; number += 1)
    told({ ...called('/debts', 200), requestId: `r${number}` });
  expect(told({ ...request('/debts'), requestId: 'r0' })[0]).not.toContain('call');
  expect(told({ ...request('/debts'), requestId: 'r4999' })[0]).toContain('1 call');
});
