import { EventEmitter } from 'node:events';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { experiments } from '../../sandbox/experiments.js';
import { panelState } from '../../sandbox/panel.js';
import { createRecorder } from '../../sandbox/recorder.js';
import { send, setUp } from './helpers.js';

const json = { 'content-type': 'application/json' };

describe('the control API', () => {
  it('tells faults and counters', async () => {
    const { origin, refresh } = await setUp();
    await refresh('nonsense');
    const { status, json: state } = await send(`${origin}/_sandbox/state`);
    expect(status).toBe(200);
    expect(state).toMatchObject({
      faults: { refreshToken: 'rotate', token: [] },
      counters: { tokenCalls: 1, tokenByGrant: { refresh_token: 1 }, refreshRefused: 1 },
      client: { active: true },
    });
  });

  it.each(['PUT', 'PATCH'])('merges faults with %s', async (method) => {
    const { origin, control } = await setUp();
    control.set({ limitReads: 5 });
    const body = JSON.stringify({ refreshToken: 'keep', token: [{ mode: 'html' }] });
    expect((await send(`${origin}/_sandbox/faults`, { method, headers: json, body })).status).toBe(
      200,
    );
    expect(control.state().faults).toMatchObject({
      limitReads: 5,
      refreshToken: 'keep',
      token: [{ mode: 'html' }],
    });
  });

  it.each([
    [{ accesTokenLifetimeS: 5 }, 'accesTokenLifetimeS'],
    [{ accessTokenLifetimeS: '5' }, 'accessTokenLifetimeS'],
    [{ refreshToken: 'sometimes' }, 'refreshToken'],
    [{ token: [{ mode: 'explode' }] }, 'token.0.mode'],
    [{ token: [{ mode: 'delay' }] }, 'token.0.ms'],
    [{ api: [{ mode: 'cut', afterBytes: 1, colour: 'red' }] }, 'colour'],
    [{ limitReads: 1, limitWrites: -1 }, 'limitWrites'],
  ])('refuses %j, names %s and changes nothing', async (faults, field) => {
    const { origin, control } = await setUp();
    const before = control.state().faults;
    const answer = await send(`${origin}/_sandbox/faults`, {
      method: 'PATCH',
      headers: json,
      body: JSON.stringify(faults),
    });
    expect(answer.status).toBe(400);
    expect(answer.json['error']).toContain(field);
    expect(control.state().faults).toEqual(before);
    expect(() => control.set(faults as object)).toThrow(field);
  });

  it('does over HTTP what the object does', async () => {
    const { origin, control, signIn, api, refresh, token } = await setUp();
    const post = async (path: string, body: object = {}) => {
      const answer = await send(`${origin}/_sandbox${path}`, {
        method: 'POST',
        headers: json,
        body: JSON.stringify(body),
      });
      expect([path, answer.status]).toEqual([path, 200]);
    };
    const tokens = await signIn();
    await post('/expire-access-tokens');
    expect((await api('/company/profile', tokens.access_token)).status).toBe(401);
    await post('/revoke-grants');
    expect((await refresh(tokens.refresh_token)).status).toBe(400);
    await post('/redirect-uris', { uri: 'http://localhost:3999/cb' });
    await post('/client', { active: false, secrets: ['another'] });
    expect(control.state().client).toMatchObject({
      active: false,
      redirectUris: expect.arrayContaining(['http://localhost:3999/cb']) as unknown,
    });
    await post('/client', { active: true });
    const grant = { grant_type: 'client_credentials', scope: 'debts:read' };
    expect((await token(grant)).status).toBe(401);
    expect((await token({ ...grant, client_secret: 'another' })).status).toBe(200);
    control.set({ token: [{ mode: 'hold' }] });
    const held = token({ ...grant, client_secret: 'another' });
    while (control.state().held === 0) await new Promise(setImmediate);
    await post('/release');
    expect((await held).status).toBe(200);
    control.set({ limitReads: 1 });
    await post('/reset');
    expect(control.state()).toMatchObject({
      faults: { limitReads: 1000 },
      counters: { tokenCalls: 0, apiCalls: 0 },
    });
  });

  it('goes back to the start values, not to the defaults, on reset', async () => {
    const { control } = await setUp({ faults: { refreshToken: 'omit' } });
    control.set({ refreshToken: 'keep' });
    control.reset();
    expect(control.state().faults.refreshToken).toBe('omit');
  });

  it.each([
    ['/redirect-uris', { uri: 'not a uri' }, 'uri'],
    ['/redirect-uris', { uri: 'http://a/#b' }, 'uri'],
    ['/client', { secrets: [] }, 'secrets'],
    ['/client', { active: 'yes' }, 'active'],
    ['/client', { name: 'x' }, 'name'],
  ])('refuses %s %j, naming %s', async (path, body, field) => {
    const { origin } = await setUp();
    const answer = await send(`${origin}/_sandbox${path}`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(400);
    expect(answer.json['error']).toContain(field);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'answers 415 to %s',
    async (type) => {
      const { origin, control } = await setUp();
      const headers = { 'content-type': type };
      const init = { method: 'PATCH', headers, body: '{"limitReads":1}' };
      expect((await send(`${origin}/_sandbox/faults`, init)).status).toBe(415);
      expect(control.state().faults.limitReads).toBe(1000);
    },
  );

  it('answers 415 to a change without a body', async () => {
    const { origin } = await setUp();
    expect((await send(`${origin}/_sandbox/reset`, { method: 'POST' })).status).toBe(415);
  });

  it('answers 403 to another origin, and to its own lets through', async () => {
    const { origin } = await setUp();
    const statusFrom = async (from: string) =>
      (
        await send(`${origin}/_sandbox/reset`, {
          method: 'POST',
          headers: { ...json, origin: from },
          body: '{}',
        })
      ).status;
    expect(await statusFrom('http://localhost:3000')).toBe(403);
    expect(await statusFrom('https://evil.example')).toBe(403);
    expect(await statusFrom('null')).toBe(403);
    expect(await statusFrom(origin)).toBe(200);
  });

  it('answers 403 to a host that is not its own, for reading too', async () => {
    const { origin } = await setUp();
    const { port } = new URL(origin);
    expect(await statusForHost(port, `evil.example:${port}`)).toBe(403);
    expect(await statusForHost(port, 'localhost')).toBe(403);
    expect(await statusForHost(port, `localhost:${port}`)).toBe(200);
    expect(await statusForHost(port, `127.0.0.1:${port}`)).toBe(200);
    expect(await statusForHost(port, `[::1]:${port}`)).toBe(200);
  });

  it('knows its public origin', async () => {
    const { sandbox } = await setUp({ publicOrigin: 'http://getbill.localhost:4000/' });
    expect(sandbox.origin).toBe('http://getbill.localhost:4000');
  });
});

describe('the control panel', () => {
  it('is a page without anything inline, whose files are there', async () => {
    const { origin } = await setUp();
    const { status, headers, text } = await send(`${origin}/`);
    expect([status, headers.get('content-security-policy')]).toEqual([
      200,
      expect.stringContaining("script-src 'self'"),
    ]);
    expect(text).toContain('not the real GetBill');
    expect(text).not.toMatch(/<script>|<style|style=|onclick=/);
    for (const file of ['/sandbox.css', '/panel.js', '/favicon.svg']) {
      expect(text).toContain(file);
      expect((await send(`${origin}${file}`)).status).toBe(200);
    }
  });

  it('offers only what the control API accepts', async () => {
    const { control } = await setUp();
    for (const { buttons = [], settings = [] } of experiments) {
      for (const { queue, fault } of buttons) control.set({ [queue]: [fault] });
      for (const { field, options = [[true], [false]] } of settings) {
        for (const [value] of options) control.set({ [field]: value });
      }
    }
  });

  it('is drawn by the server as things are, without its script', async () => {
    const { origin, control, token } = await setUp();
    control.set({
      accessTokenLifetimeS: 30,
      clockOffsetMs: 0,
      token: [{ mode: 'commitThenDrop', times: 3 }],
    });
    control.setClientActive(false);
    await token({ grant_type: 'refresh_token', refresh_token: 'CANARY-refresh-token' }).catch(
      () => undefined,
    );
    const { text } = await send(`${origin}/`);
    expect(text).toMatch(/<option value="30" selected>30 seconds/);
    expect(text).toContain('Token: Renew, then cut the connection (next 2 calls)');
    expect(text).toMatch(/data-client-active\s+\/>/);
    expect(text).toContain('POST /oauth/token refresh_token');
    expect(text).not.toContain('CANARY');
  });

  it('says of each call how it ended, and marks equal tokens alike without showing them', async () => {
    const { api, control } = await setUp();
    control.set({ api: [{ mode: 'status', status: 503 }, { mode: 'drop' }] });
    await api('/debts?page=2', 'CANARY-token');
    await api('/debts', 'CANARY-token').catch(() => undefined);
    await api('/debts', 'CANARY-other');
    const { log } = panelState(control);
    expect(log.map(({ call, status, outcome }) => [call, status, outcome])).toEqual([
      ['GET /external-api/v1/debts', 401, 'failed'],
      ['GET /external-api/v1/debts', 0, 'failed'],
      ['GET /external-api/v1/debts?page=2', 503, 'failed'],
    ]);
    expect(log[1]?.credential).toBe(log[2]?.credential);
    expect(log[0]?.credential).not.toBe(log[2]?.credential);
    expect(JSON.stringify(log)).not.toContain('CANARY');
  });
});

describe('recorded requests', () => {
  it('have the exact headers and body', async () => {
    const { token, api, control } = await setUp();
    await token({ grant_type: 'refresh_token', refresh_token: 'r1' });
    await api('/debts?page=2', 'secret', { method: 'POST', body: 'é' });
    const [tokenCall, apiCall, ...others] = control.requests();
    expect(others).toEqual([]);
    expect(tokenCall).toMatchObject({ method: 'POST', url: '/oauth/token' });
    expect(new URLSearchParams(tokenCall?.body).get('refresh_token')).toBe('r1');
    expect(apiCall).toMatchObject({
      url: '/external-api/v1/debts?page=2',
      body: 'é',
      bodyLength: 2,
    });
    expect(apiCall?.rawHeaders.join('\n')).toContain('Bearer secret');
    control.clearRequests();
    expect(control.requests()).toEqual([]);
  });

  it('are the last thousand', () => {
    const recorder = createRecorder({ now: () => 0 });
    for (let index = 0; index < 1100; index += 1) {
      const req = { method: 'GET', url: `/${index}`, rawHeaders: [] as string[] };
      recorder.record(
        req as unknown as IncomingMessage,
        Buffer.alloc(0),
        new EventEmitter() as unknown as ServerResponse,
      );
    }
    expect(recorder.requests()).toHaveLength(1000);
    expect(recorder.requests()[0]?.url).toBe('/100');
  });

  it('do not include the control API', async () => {
    const { origin, control } = await setUp();
    await send(`${origin}/_sandbox/state`);
    await send(`${origin}/healthz`);
    expect(control.requests()).toEqual([]);
  });
});

function statusForHost(port: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path: '/_sandbox/state', headers: { host }, agent: false },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}
