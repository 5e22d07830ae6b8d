import type { TokenFault } from '../../sandbox/faults.js';
import { inBackground, setUp } from './helpers.js';
import { until } from '../support/until.js';

/** A signed-in client whose next token call meets `faults`. */
async function withFaults(...faults: TokenFault[]) {
  const setup = await setUp();
  const tokens = await setup.signIn();
  setup.control.reset();
  setup.control.set({ token: faults });
  return { ...setup, tokens, refreshOk: () => setup.control.state().counters.refreshOk };
}

describe('token faults before the work', () => {
  it.each<[TokenFault, { status: number; type?: string; text: RegExp }]>([
    [
      { mode: 'status', status: 503 },
      { status: 503, text: /^$/ },
    ],
    [
      { mode: 'status', status: 400, body: { error: 'x' } },
      { status: 400, type: 'application/json', text: /^{"error":"x"}$/ },
    ],
    [
      { mode: 'status', status: 500, body: 'oops' },
      { status: 500, type: 'text/plain', text: /^oops$/ },
    ],
    [{ mode: 'html' }, { status: 200, type: 'text/html', text: /^<!doctype html>/ }],
    [
      { mode: 'html', status: 502 },
      { status: 502, type: 'text/html', text: /^<!doctype html>/ },
    ],
    [{ mode: 'garbage' }, { status: 200, type: 'application/json', text: /^\{"access_token/ }],
    [
      { mode: 'redirect', status: 302, location: 'http://localhost:1/x' },
      { status: 302, text: /^$/ },
    ],
    [
      { mode: 'rawBody', status: 200, body: '[]', contentType: 'application/json' },
      { status: 200, text: /^\[\]$/ },
    ],
  ])('%j answers in its place, and the next call is normal', async (fault, expected) => {
    const { refresh, tokens, refreshOk } = await withFaults(fault);
    const answer = await refresh(tokens.refresh_token);
    expect(answer.status).toBe(expected.status);
    expect(answer.text).toMatch(expected.text);
    expect(answer.headers.get('content-type') ?? '').toContain(expected.type ?? '');
    expect(refreshOk()).toBe(0);
    expect((await refresh(tokens.refresh_token)).status).toBe(200);
  });

  it('sends Retry-After and Location where asked to', async () => {
    const { refresh } = await withFaults(
      { mode: 'status', status: 429, retryAfterS: 30 },
      { mode: 'redirect', status: 307, location: 'http://localhost:1/x' },
    );
    expect((await refresh('x')).headers.get('retry-after')).toBe('30');
    expect((await refresh('x')).headers.get('location')).toBe('http://localhost:1/x');
  });

  it('drop cuts the connection and nothing is done', async () => {
    const { refresh, tokens, refreshOk } = await withFaults({ mode: 'drop' });
    await expect(refresh(tokens.refresh_token)).rejects.toThrow();
    expect(refreshOk()).toBe(0);
    expect((await refresh(tokens.refresh_token)).status).toBe(200);
  });

  it('hang never answers and never does the work', async () => {
    const { refresh, tokens, refreshOk, control, sandbox } = await withFaults({ mode: 'hang' });
    const call = inBackground(refresh(tokens.refresh_token));
    await until('the call has come', () => control.state().counters.tokenCalls === 1);
    expect((await refresh(tokens.refresh_token)).status).toBe(200);
    expect([call.settled(), refreshOk()]).toEqual([false, 1]);
    await sandbox.close();
    await expect(call.result).rejects.toThrow();
  });

  it('delay answers later', async () => {
    const { refresh, tokens } = await withFaults({ mode: 'delay', ms: 60 });
    const startedMs = performance.now();
    expect((await refresh(tokens.refresh_token)).status).toBe(200);
    expect(performance.now() - startedMs).toBeGreaterThan(55);
  });

  it('hold waits for release before it does anything', async () => {
    const { refresh, tokens, refreshOk, control } = await withFaults({ mode: 'hold' });
    const call = inBackground(refresh(tokens.refresh_token));
    await until('the call is held', () => control.state().held === 1);
    expect([call.settled(), refreshOk()]).toEqual([false, 0]);
    control.release();
    expect((await call.result).status).toBe(200);
    expect(refreshOk()).toBe(1);
  });
});

describe('token faults after the work', () => {
  it('holdAnswer has rotated by the time it waits', async () => {
    const { refresh, tokens, refreshOk, control, api } = await withFaults({ mode: 'holdAnswer' });
    const call = inBackground(refresh(tokens.refresh_token));
    await until('the call is held', () => control.state().held === 1);
    expect((await api('/company/profile', tokens.access_token)).status).toBe(401);
    expect([call.settled(), refreshOk()]).toEqual([false, 1]);
    control.release();
    const { json } = await call.result;
    expect((await api('/company/profile', json.access_token)).status).toBe(200);
  });

  it('commitThenDrop has rotated and nobody learns the new token', async () => {
    const { refresh, tokens, refreshOk, control } = await withFaults({ mode: 'commitThenDrop' });
    await expect(refresh(tokens.refresh_token)).rejects.toThrow();
    expect(refreshOk()).toBe(1);
    expect((await refresh(tokens.refresh_token)).json['error']).toBe('invalid_grant');
    expect(control.state().counters.refreshReuse).toBe(1);
  });

  it('tooBig pads a good answer', async () => {
    const { refresh, tokens } = await withFaults({ mode: 'tooBig', bytes: 200_000 });
    const { status, text, json } = await refresh(tokens.refresh_token);
    expect(status).toBe(200);
    expect(text.length).toBeGreaterThan(200_000);
    expect(json.access_token).not.toBe('');
  });

  it.each<[Extract<TokenFault, { mode: 'body' }>, object]>([
    [{ mode: 'body', override: { expires_in: '3600' } }, { expires_in: '3600' }],
    [
      { mode: 'body', override: { expires_in: -1, token_type: 'bEaReR' } },
      { expires_in: -1, token_type: 'bEaReR' },
    ],
    [{ mode: 'body', override: { refresh_token: null } }, { refresh_token: null }],
    [{ mode: 'body', override: { access_token: { a: 1 } } }, { access_token: { a: 1 } }],
  ])('%j changes a good answer', async (fault, expected) => {
    const { refresh, tokens, refreshOk } = await withFaults(fault);
    const { status, json } = await refresh(tokens.refresh_token);
    expect(status).toBe(200);
    expect(json).toMatchObject(expected);
    expect(refreshOk()).toBe(1);
  });

  it('body takes fields away', async () => {
    const { refresh, tokens } = await withFaults({
      mode: 'body',
      remove: ['expires_in', 'token_type'],
    });
    const { json } = await refresh(tokens.refresh_token);
    expect(Object.keys(json).sort()).toEqual(['access_token', 'refresh_token']);
  });

  it('body leaves a refusal alone', async () => {
    const { refresh } = await withFaults({ mode: 'body', override: { expires_in: 1 } });
    expect(Object.keys((await refresh('nonsense')).json).sort()).toEqual([
      'error',
      'error_description',
    ]);
  });
});

describe('the fault queue', () => {
  it('is used up in order', async () => {
    const { refresh } = await withFaults(
      { mode: 'status', status: 500, times: 2 },
      { mode: 'status', status: 503 },
    );
    const statuses = [];
    for (let call = 0; call < 4; call += 1) statuses.push((await refresh('x')).status);
    expect(statuses).toEqual([500, 500, 503, 400]);
  });

  it.each([0, Infinity])('with times %d lasts until it is changed', async (times) => {
    const { refresh, control } = await withFaults({ mode: 'status', status: 500, times });
    for (let call = 0; call < 5; call += 1) expect((await refresh('x')).status).toBe(500);
    expect(control.state().faults.token).toEqual([{ mode: 'status', status: 500, times: 0 }]);
    control.set({ token: [] });
    expect((await refresh('x')).status).toBe(400);
  });

  it('keeps an entry for the grant it is meant for', async () => {
    const { token, refresh, control } = await withFaults({
      mode: 'status',
      status: 503,
      grantType: 'refresh_token',
    });
    expect((await token({ grant_type: 'client_credentials', scope: 'debts:read' })).status).toBe(
      200,
    );
    expect(control.state().faults.token).toHaveLength(1);
    expect((await refresh('x')).status).toBe(503);
    expect(control.state().faults.token).toHaveLength(0);
  });
});
