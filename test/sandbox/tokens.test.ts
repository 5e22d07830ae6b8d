import { defaultClientId, defaultClientSecret } from '../../sandbox/sandbox.js';
import { send, setUp } from './helpers.js';

describe('refresh', () => {
  it('rotates the refresh token and counts it', async () => {
    const { signIn, refresh, control } = await setUp();
    const first = await signIn();
    const { status, json } = await refresh(first.refresh_token);
    expect(status).toBe(200);
    expect(json.refresh_token).not.toBe(first.refresh_token);
    expect(json.access_token).not.toBe(first.access_token);
    expect((await refresh(json.refresh_token)).status).toBe(200);
    expect(control.state().counters).toMatchObject({
      refreshOk: 2,
      refreshRefused: 0,
      refreshReuse: 0,
    });
  });

  it('ends the whole grant when a used refresh token comes back', async () => {
    const { signIn, refresh, api, control } = await setUp();
    const first = await signIn();
    const second = (await refresh(first.refresh_token)).json;
    const reuse = await refresh(first.refresh_token);
    expect([reuse.status, reuse.json['error']]).toEqual([400, 'invalid_grant']);
    expect((await refresh(second.refresh_token)).status).toBe(400);
    expect((await api('/company/profile', second.access_token)).status).toBe(401);
    expect(control.state().counters).toMatchObject({
      refreshOk: 1,
      refreshRefused: 2,
      refreshReuse: 1,
    });
  });

  it('does not touch the grant of another sign-in', async () => {
    const { signIn, refresh } = await setUp();
    const [one, other] = [await signIn(), await signIn()];
    await refresh(one.refresh_token);
    await refresh(one.refresh_token);
    expect((await refresh(other.refresh_token)).status).toBe(200);
  });

  it('of two at the same time with one token lets exactly one through, and the grant is dead', async () => {
    const { signIn, refresh, control } = await setUp();
    const { refresh_token: refreshToken } = await signIn();
    const answers = await Promise.all([refresh(refreshToken), refresh(refreshToken)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    const winner = answers.find(({ status }) => status === 200);
    expect((await refresh(winner?.json.refresh_token ?? '')).status).toBe(400);
    expect(control.state().counters.refreshReuse).toBe(1);
  });

  it('sends the same refresh token again with "keep"', async () => {
    const { signIn, refresh } = await setUp({ faults: { refreshToken: 'keep' } });
    const { refresh_token: refreshToken } = await signIn();
    expect((await refresh(refreshToken)).json.refresh_token).toBe(refreshToken);
    expect((await refresh(refreshToken)).status).toBe(200);
  });

  it('sends none, and the old one stays good, with "omit"', async () => {
    const { signIn, refresh } = await setUp({ faults: { refreshToken: 'omit' } });
    const { refresh_token: refreshToken } = await signIn();
    expect(refreshToken).toMatch(/./);
    expect((await refresh(refreshToken)).json).not.toHaveProperty('refresh_token');
    expect((await refresh(refreshToken)).status).toBe(200);
  });

  it.each([
    [true, 401],
    [false, 200],
  ])(
    'answers a call with the old access token, oldAccessTokenDies %s: %i',
    async (oldAccessTokenDies, expected) => {
      const { signIn, refresh, api } = await setUp({ faults: { oldAccessTokenDies } });
      const old = await signIn();
      const renewed = (await refresh(old.refresh_token)).json;
      expect((await api('/company/profile', old.access_token)).status).toBe(expected);
      expect((await api('/company/profile', renewed.access_token)).status).toBe(200);
    },
  );

  it('narrows the scope on request and refuses to widen it', async () => {
    const { signIn, refresh, api } = await setUp({ faults: { refreshToken: 'keep' } });
    const tokens = await signIn({ scope: 'company:read debts:read' });
    const narrow = (await refresh(tokens.refresh_token, { scope: 'debts:read' })).json;
    expect((await api('/company/profile', narrow.access_token)).status).toBe(403);
    const wide = await refresh(tokens.refresh_token, { scope: 'debts:read debts:write' });
    expect([wide.status, wide.json['error']]).toEqual([400, 'invalid_scope']);
  });

  it('is refused in the older league style on demand', async () => {
    const { refresh } = await setUp({ faults: { refusalStyle: 'league' } });
    const { status, json } = await refresh('nonsense');
    expect(status).toBe(401);
    expect(json).toMatchObject({
      error: 'invalid_request',
      error_description: 'The refresh token is invalid.',
    });
    expect(json['hint']).toEqual(expect.any(String));
  });

  it('keeps RFC style for other grants in league style', async () => {
    const { token } = await setUp({ faults: { refusalStyle: 'league' } });
    const fields = {
      grant_type: 'authorization_code',
      code: 'x',
      redirect_uri: 'http://localhost:3000/oauth/callback',
    };
    expect((await token(fields)).json['error']).toBe('invalid_grant');
  });

  it('says what is missing', async () => {
    const { token } = await setUp();
    const { status, json } = await token({ grant_type: 'refresh_token' });
    expect([status, json['error']]).toEqual([400, 'invalid_request']);
  });
});

describe('access tokens', () => {
  it('end when their lifetime is over', async () => {
    let nowMs = Date.now();
    const { signIn, api } = await setUp({ now: () => nowMs, faults: { accessTokenLifetimeS: 60 } });
    const tokens = await signIn();
    expect(tokens['expires_in']).toBe(60);
    nowMs += 59_000;
    expect((await api('/company/profile', tokens.access_token)).status).toBe(200);
    nowMs += 1_000;
    expect((await api('/company/profile', tokens.access_token)).status).toBe(401);
  });

  it('can all be ended at once, their refresh tokens stay good', async () => {
    const { signIn, api, refresh, control } = await setUp();
    const tokens = await signIn();
    control.expireAccessTokens();
    expect((await api('/company/profile', tokens.access_token)).status).toBe(401);
    expect((await refresh(tokens.refresh_token)).status).toBe(200);
  });

  it('die with their grants, whose refresh tokens are refused without counting as reuse', async () => {
    const { signIn, api, refresh, control } = await setUp();
    const tokens = await signIn();
    control.revokeGrants();
    expect((await api('/company/profile', tokens.access_token)).status).toBe(401);
    expect((await refresh(tokens.refresh_token)).json['error']).toBe('invalid_grant');
    expect(control.state().counters).toMatchObject({
      refreshRefused: 1,
      refreshReuse: 0,
      apiUnauthorized: 1,
    });
  });
});

describe('client credentials', () => {
  it('act for the first company and come without a refresh token', async () => {
    const { token, api } = await setUp();
    const { status, json } = await token({
      grant_type: 'client_credentials',
      scope: 'company:read',
    });
    expect(status).toBe(200);
    expect(json).not.toHaveProperty('refresh_token');
    const profile = await api('/company/profile', json.access_token);
    expect(profile.json).toMatchObject({
      data: { id: 'hTBN7n6lkmkhMb6LYqEBZw', name: 'Example Collections LLC' },
    });
    expect((await api('/debts', json.access_token)).status).toBe(403);
  });

  it.each(['', 'company:everything'])('are refused for the scope "%s"', async (scope) => {
    const { token } = await setUp();
    const { status, json } = await token({ grant_type: 'client_credentials', scope });
    expect([status, json['error']]).toEqual([400, 'invalid_scope']);
  });
});

describe('client authentication', () => {
  const grant = { grant_type: 'client_credentials', scope: 'company:read' };

  it('accepts HTTP Basic', async () => {
    const { origin } = await setUp();
    const credentials = Buffer.from(`${defaultClientId}:${defaultClientSecret}`).toString('base64');
    const headers = { authorization: `Basic ${credentials}` };
    const answer = await send(`${origin}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams(grant),
      headers,
    });
    expect(answer.status).toBe(200);
  });

  it('accepts each of several secrets while one is being rotated', async () => {
    const { token, control } = await setUp({ clientSecrets: ['old-one', 'new-one'] });
    const statusWith = async (secret: string) =>
      (await token({ ...grant, client_secret: secret })).status;
    expect([await statusWith('old-one'), await statusWith('new-one')]).toEqual([200, 200]);
    control.setClientSecrets(['new-one']);
    expect([await statusWith('old-one'), await statusWith('new-one')]).toEqual([401, 200]);
  });

  it.each([
    ['a wrong secret', { client_secret: 'wrong' }],
    ['an unknown client', { client_id: 'nobody' }],
  ])('answers 401 invalid_client to %s', async (_name, fields) => {
    const { token } = await setUp();
    const { status, json } = await token({ ...grant, ...fields });
    expect([status, json['error']]).toEqual([401, 'invalid_client']);
  });

  it('answers 401 invalid_client while the client is inactive', async () => {
    const { token, control } = await setUp();
    control.setClientActive(false);
    expect((await token(grant)).json['error']).toBe('invalid_client');
    control.setClientActive(true);
    expect((await token(grant)).status).toBe(200);
  });

  it('answers unsupported_grant_type to a grant it does not have', async () => {
    const { token } = await setUp();
    expect((await token({ grant_type: 'password' })).json['error']).toBe('unsupported_grant_type');
  });
});

describe('revocation', () => {
  async function revoke(origin: string, value: string) {
    const fields = { client_id: defaultClientId, client_secret: defaultClientSecret, token: value };
    return send(`${origin}/oauth/revoke`, { method: 'POST', body: new URLSearchParams(fields) });
  }

  it('is not there by default', async () => {
    const { origin, control } = await setUp();
    expect((await revoke(origin, 'x')).status).toBe(404);
    expect(control.state().counters.revokeCalls).toBe(0);
  });

  it('ends the grant of a refresh token when it is on', async () => {
    const { origin, signIn, api, refresh, control } = await setUp({ faults: { revocation: true } });
    const tokens = await signIn();
    expect((await revoke(origin, tokens.refresh_token)).status).toBe(200);
    expect((await refresh(tokens.refresh_token)).status).toBe(400);
    expect((await api('/company/profile', tokens.access_token)).status).toBe(401);
    expect(control.state().counters.revokeCalls).toBe(1);
  });

  it('can fail on demand', async () => {
    const { origin, control } = await setUp({ faults: { revocation: true } });
    control.set({
      revokeFault: [{ mode: 'status', status: 503, retryAfterS: 7 }, { mode: 'html' }],
    });
    const failed = await revoke(origin, 'x');
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '7']);
    expect((await revoke(origin, 'x')).headers.get('content-type')).toContain('text/html');
    expect((await revoke(origin, 'x')).status).toBe(200);
  });

  it('can hang on demand', async () => {
    const { origin, control, sandbox } = await setUp({
      faults: { revocation: true, revokeFault: [{ mode: 'hang' }] },
    });
    const pending = revoke(origin, 'x').then(
      () => 'answered',
      () => 'cut',
    );
    while (control.state().counters.revokeCalls === 0) await new Promise(setImmediate);
    await sandbox.close();
    expect(await pending).toBe('cut');
  });
});
