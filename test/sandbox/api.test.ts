import { edgeCases } from '../../sandbox/api/data/edge-cases.js';
import { dataOf, listOf, lumiere, send, setUp, signedIn } from './helpers.js';

describe('the company', () => {
  it('has the documented profile', async () => {
    const { get } = await signedIn();
    const { status, headers, json } = await get('/company/profile');
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(json).toEqual({
      error: false,
      message: 'Success',
      data: {
        id: 'hTBN7n6lkmkhMb6LYqEBZw',
        name: 'Example Collections LLC',
        email: 'contact@example-collections.com',
        phone: '+33123456789',
        created_at: '2023-01-15T10:30:00+00:00',
      },
    });
  });

  it('has credits and users, inactive ones included', async () => {
    const { get } = await signedIn();
    expect(dataOf((await get('/company/credits')).json)).toMatchObject({
      current_credits: 847,
      subscription: { plan: 'Professional', status: 'active' },
    });
    const users = (await get('/company/users')).json;
    expect(users).not.toHaveProperty('pagination');
    expect(listOf(users).map((user) => user['is_active'])).toContain(false);
  });
});

describe('lists', () => {
  it('come in pages of 20, of which there are 63', async () => {
    const { get } = await signedIn();
    const { json } = await get('/debts');
    expect(json).not.toHaveProperty('message');
    expect(json['pagination']).toEqual({ total: 1247, page: 1, limit: 20, pages: 63 });
    expect(listOf(json)).toHaveLength(20);
  });

  it('can be walked page by page without a debt twice or missing', async () => {
    const { get } = await signedIn();
    const ids = new Set<unknown>();
    for (let page = 1; page <= 13; page += 1) {
      const { json } = await get(`/debts?limit=100&page=${page}`);
      expect(json['pagination']).toEqual({ total: 1247, page, limit: 100, pages: 13 });
      for (const debt of listOf(json)) ids.add(debt['id']);
    }
    expect(ids.size).toBe(1247);
  });

  it('are empty beyond the last page', async () => {
    const { get } = await signedIn();
    expect(listOf((await get('/debts?page=99')).json)).toEqual([]);
  });

  it('clamp a limit above 100, or refuse it on demand', async () => {
    const { get, control } = await signedIn();
    expect((await get('/debts?limit=500')).json['pagination']).toMatchObject({ limit: 100 });
    control.set({ limitAbove100: 'refuse' });
    expect(await get('/debts?limit=101')).toMatchObject({
      status: 400,
      json: { message: 'Validation failed' },
    });
  });

  it.each(['page=0', 'page=x', 'limit=0', 'limit=-1'])('refuse %s', async (query) => {
    const { get } = await signedIn();
    expect((await get(`/debts?${query}`)).status).toBe(400);
  });

  it('keep to a status, all twelve of them', async () => {
    const { get } = await signedIn();
    const all = listOf((await get('/debts?limit=100')).json).map((debt) => debt['status']);
    expect(new Set(all).size).toBe(12);
    expect(all).toContain('status.custom.legal_action');
    const paid = listOf((await get('/debts?status=status.default.paid&limit=100')).json);
    expect(new Set(paid.map((debt) => debt['status']))).toEqual(new Set(['status.default.paid']));
  });

  it('have names that a page has to escape in the company of edge cases, and there alone', async () => {
    const { get } = await signedIn({}, edgeCases.name);
    expect((await get('/debts')).text).toContain('<script>alert');
    const { get: first } = await signedIn();
    for (const path of ['/debts?limit=100', '/debtors?limit=100', '/followups?limit=100'])
      expect((await first(path)).text).not.toMatch(/<script>|x{40}|محمد/);
  });

  it('of edge cases name in each debt what is wrong with it', async () => {
    const { get } = await signedIn({}, edgeCases.name);
    const debts = listOf((await get('/debts?limit=100')).json);
    expect(debts.length).toBeGreaterThan(20); // more than a page
    for (const debt of debts) expect(debt['object']).toMatch(/^[A-Z][\w ]+$/);
    expect(new Set(debts.map((debt) => debt['object'])).size).toBe(debts.length);
    expect(debts.some(({ firstname }) => firstname === '   ')).toBe(true);
    expect(debts.some(({ amount }) => typeof amount === 'string')).toBe(true);
  });

  it('are told from today: what came in last did so yesterday, and is overdue already', async () => {
    for (const year of [2027, 2031]) {
      const nowMs = Date.UTC(year, 4, 20, 11);
      const { get } = await signedIn({ now: () => nowMs });
      const daysAgo = (value: unknown) =>
        Math.floor((nowMs - Date.parse(String(value))) / 86_400_000);
      const [newest, ...others] = listOf((await get('/debts?limit=100')).json);
      expect(String(newest?.['import_date'])).toMatch(`${year}-05-19T`);
      for (const debt of [newest, ...others]) {
        expect(daysAgo(debt?.['import_date'])).toBeGreaterThanOrEqual(0);
        expect(daysAgo(debt?.['due_date'])).toBeGreaterThan(daysAgo(debt?.['import_date']));
      }
      const followups = listOf((await get('/followups?limit=100')).json);
      const imported = new Map(
        [newest, ...others].map((debt) => [
          debt?.['id'],
          Date.parse(String(debt?.['import_date'])),
        ]),
      );
      for (const { debt_id: id, call_date: at, scheduled_at: planned } of followups) {
        if (typeof at === 'string') expect(Date.parse(at)).toBeLessThanOrEqual(nowMs);
        if (typeof at === 'string') expect(Date.parse(at)).toBeGreaterThan(imported.get(id) ?? 0);
        if (typeof planned === 'string') expect(Date.parse(planned)).toBeGreaterThan(nowMs);
      }
      const credits = (await get('/company/credits')).json;
      expect(JSON.stringify(credits)).toContain(`"expires_at":"${year}-12-`);
    }
  });

  it('are small or empty for the second company', async () => {
    const { get } = await signedIn({}, lumiere);
    expect((await get('/debts')).json['pagination']).toMatchObject({ total: 3 });
    expect((await get('/followups')).json).toEqual({
      error: false,
      data: [],
      pagination: { total: 0, page: 1, limit: 20, pages: 0 },
    });
  });
});

describe('access', () => {
  it.each([
    ['no Authorization header', {}],
    ['another scheme', { authorization: 'Basic abc' }],
    ['an unknown token', { authorization: 'Bearer abc' }],
  ])('answers 401 to %s', async (_name, headers) => {
    const { origin, control } = await setUp();
    const { status, json } = await send(`${origin}/external-api/v1/company/profile`, { headers });
    expect(status).toBe(401);
    expect(json).toEqual({
      error: true,
      message: 'Authentication credentials are missing or invalid',
      code: 401,
    });
    expect(control.state().counters).toMatchObject({ apiCalls: 1, apiUnauthorized: 1 });
  });

  it.each([
    ['GET', '/company/users', 'users:read'],
    ['POST', '/debts', 'debts:write'],
    ['GET', '/debtors', 'debtors:read'],
    ['PATCH', '/creditors/x', 'creditors:write'],
    ['GET', '/followups', 'followups:read'],
    ['GET', '/reports', 'reports:read'],
  ])('%s %s needs %s', async (method, path, scope) => {
    const { signIn, write } = await setUp();
    const { access_token: accessToken } = await signIn({ scope: 'company:read' });
    const answer = await write(method, path, accessToken, undefined);
    expect([answer.status, answer.json['message']]).toEqual([
      403,
      `Required scope "${scope}" not found in token`,
    ]);
  });

  it('answers unknown paths and methods in the envelope', async () => {
    const { get, change } = await signedIn();
    expect(await get('/company/statistics')).toMatchObject({
      status: 404,
      json: { error: true, code: 404 },
    });
    expect(await change('DELETE', '/debtors/x', undefined)).toMatchObject({
      status: 405,
      json: { code: 405 },
    });
  });
});

describe('rate limits', () => {
  const limits = (headers: Headers) =>
    ['limit', 'remaining', 'window'].map((name) => Number(headers.get(`x-ratelimit-${name}`)));

  it('are told with every answer, reads apart from writes', async () => {
    const { get, change, origin } = await signedIn();
    expect(limits((await get('/company/profile')).headers)).toEqual([1000, 999, 3600]);
    expect(limits((await get('/nothing')).headers)).toEqual([1000, 998, 3600]);
    expect(limits((await change('POST', '/debts', {})).headers)).toEqual([500, 499, 3600]);
    const { headers } = await send(`${origin}/external-api/v1/company/profile`);
    expect(limits(headers)).toEqual([1000, 998, 3600]);
    expect(limits((await get('/company/profile')).headers)).toEqual([1000, 997, 3600]);
  });

  it('end in the documented 429 and slide', async () => {
    let nowMs = Date.UTC(2024, 0, 15, 10, 0, 0);
    const { get, change } = await signedIn({
      now: () => nowMs,
      faults: { limitReads: 2, limitWindowS: 60 },
    });
    await get('/company/profile');
    nowMs += 30_000;
    await get('/company/profile');
    const { status, headers, json } = await get('/company/profile');
    expect(status).toBe(429);
    expect(json).toEqual({
      error: true,
      message: 'Rate limit exceeded. Please try again later.',
      code: 429,
      details: { retry_after: 30, limit: 2, reset_time: '2024-01-15T10:01:00Z' },
    });
    expect(headers.get('x-ratelimit-reset')).toBe(String(Date.UTC(2024, 0, 15, 10, 1, 0) / 1000));
    expect(headers.get('retry-after')).toBeNull();
    expect((await change('POST', '/debts', {})).status).toBe(400);
    nowMs += 30_000;
    expect((await get('/company/profile')).status).toBe(200);
    expect((await get('/company/profile')).status).toBe(429);
  });
});

describe('the clock', () => {
  it('can be set off, in the Date header too', async () => {
    const nowMs = Date.UTC(2026, 5, 1);
    const { get } = await signedIn({ now: () => nowMs, faults: { clockOffsetMs: 3_600_000 } });
    expect((await get('/company/profile')).headers.get('date')).toBe(
      'Mon, 01 Jun 2026 01:00:00 GMT',
    );
  });
});
