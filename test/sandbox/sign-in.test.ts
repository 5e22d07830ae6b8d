import { createStorage } from '../../sandbox/authorization-server/storage.js';
import { approve } from '../../sandbox/sign-in.js';
import { codeFields, codeIn, lumiere, pkce, redirectUri, send, setUp } from './helpers.js';

describe('sign-in at the sandbox', () => {
  it('gives a code, the state and the issuer to the registered redirect URI', async () => {
    const { authorizeUrl, origin } = await setUp();
    const location = new URL(await approve({ authorizeUrl: authorizeUrl() }));
    expect(`${location.origin}${location.pathname}`).toBe(redirectUri);
    expect(location.searchParams.get('state')).toBe('the-state');
    expect(location.searchParams.get('iss')).toBe(origin);
    expect(codeIn(location.href)).not.toBe('');
  });

  it('exchanges the code with its verifier for opaque tokens, without a scope field', async () => {
    const { authorizeUrl, token } = await setUp();
    const { verifier, challenge } = pkce();
    const url = authorizeUrl({ code_challenge: challenge, code_challenge_method: 'S256' });
    const code = codeIn(await approve({ authorizeUrl: url }));
    const answer = await token(codeFields(code, { code_verifier: verifier }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(Object.keys(answer.json).sort()).toEqual([
      'access_token',
      'expires_in',
      'refresh_token',
      'token_type',
    ]);
    expect(answer.json).toMatchObject({ token_type: 'Bearer', expires_in: 3600 });
  });

  it('does not need PKCE', async () => {
    const { authorizeUrl, token } = await setUp();
    const code = codeIn(await approve({ authorizeUrl: authorizeUrl() }));
    expect((await token(codeFields(code))).status).toBe(200);
  });

  it.each([['another verifier', pkce().verifier] as const, ['no verifier', ''] as const])(
    'refuses a code whose challenge is answered with %s',
    async (_name, verifier) => {
      const { authorizeUrl, token } = await setUp();
      const url = authorizeUrl({ code_challenge: pkce().challenge, code_challenge_method: 'S256' });
      const code = codeIn(await approve({ authorizeUrl: url }));
      const answer = await token(codeFields(code, { code_verifier: verifier }));
      expect([answer.status, answer.json.error]).toEqual([400, 'invalid_grant']);
    },
  );

  it('refuses a verifier for a code that had no challenge', async () => {
    const { authorizeUrl, token } = await setUp();
    const code = codeIn(await approve({ authorizeUrl: authorizeUrl() }));
    const answer = await token(codeFields(code, { code_verifier: pkce().verifier }));
    expect([answer.status, answer.json.error]).toEqual([400, 'invalid_grant']);
  });

  it('refuses a code without the redirect URI it was given to, though only one is registered', async () => {
    const { authorizeUrl, token } = await setUp();
    const code = codeIn(await approve({ authorizeUrl: authorizeUrl() }));
    const answer = await token({ grant_type: 'authorization_code', code });
    expect([answer.status, answer.json.error]).toEqual([400, 'invalid_request']);
    expect((await token(codeFields(code))).status).toBe(200);
  });

  it('does not begin without a redirect URI, though only one is registered', async () => {
    const { authorizeUrl } = await setUp();
    const url = new URL(authorizeUrl());
    url.searchParams.delete('redirect_uri');
    const { status, headers, text } = await send(url.href);
    expect([status, headers.get('location')]).toEqual([400, null]);
    expect(text).toContain('redirect_uri');
  });

  it('kills the tokens of a code that is used twice', async () => {
    const { authorizeUrl, token, api, refresh } = await setUp();
    const code = codeIn(await approve({ authorizeUrl: authorizeUrl() }));
    const first = await token(codeFields(code));
    const second = await token(codeFields(code));
    expect([second.status, second.json.error]).toEqual([400, 'invalid_grant']);
    expect((await api('/company/profile', first.json.access_token)).status).toBe(401);
    expect((await refresh(first.json.refresh_token)).status).toBe(400);
  });

  it('gives tokens to at most one of two exchanges of one code at the same time', async () => {
    const { authorizeUrl, token } = await setUp();
    const code = codeIn(await approve({ authorizeUrl: authorizeUrl() }));
    const answers = await Promise.all([token(codeFields(code)), token(codeFields(code))]);
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
  });

  it('lets one of two that found the same unused code have it', async () => {
    const storage = createStorage({ clock: () => 0, doubleUse: () => new Error('used') });
    const codes = storage.adapter('AuthorizationCode');
    await codes.upsert('code', { grantId: 'grant' }, 600);
    storage.put('AccessToken', 'token', { grantId: 'grant' }, 600);
    await codes.consume('code');
    await expect(codes.consume('code')).rejects.toThrow('used');
    expect(storage.get('AccessToken', 'token')).toBeUndefined();
  });

  it('refuses a code after ten minutes', async () => {
    let nowMs = Date.now();
    const { authorizeUrl, token } = await setUp({ now: () => nowMs });
    const code = codeIn(await approve({ authorizeUrl: authorizeUrl() }));
    nowMs += 600_000;
    expect((await token(codeFields(code))).json.error).toBe('invalid_grant');
  });

  it('works at /authorize and /token as well', async () => {
    const { authorizeUrl, token } = await setUp();
    const code = codeIn(await approve({ authorizeUrl: authorizeUrl({}, '/authorize') }));
    expect((await token(codeFields(code), '/token')).status).toBe(200);
  });

  it('says access_denied, with the state, when the user denies', async () => {
    const { authorizeUrl } = await setUp();
    const location = new URL(await approve({ authorizeUrl: authorizeUrl(), decision: 'deny' }));
    expect(`${location.origin}${location.pathname}`).toBe(redirectUri);
    expect(Object.fromEntries(location.searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'the-state',
    });
  });

  it('takes nothing ticked for a denial', async () => {
    const { authorizeUrl } = await setUp();
    const location = await approve({ authorizeUrl: authorizeUrl(), scopes: [] });
    const { error, error_description: description } = Object.fromEntries(
      new URL(location).searchParams,
    );
    expect([error, description]).toEqual([
      'access_denied',
      'The resource owner denied the request.',
    ]);
  });

  it('names the granted scopes when they are fewer than the requested ones', async () => {
    const { signIn, refresh } = await setUp();
    const scope = 'company:read debts:read';
    const less = await signIn({ scope, scopes: ['company:read'] });
    expect(less).toHaveProperty('scope', 'company:read');
    expect(await signIn({ scope })).not.toHaveProperty('scope');
    // A renewal asks for what was granted (RFC 6749 section 6), and gets it.
    expect((await refresh(less.refresh_token)).json).not.toHaveProperty('scope');
  });

  it('leaves out a scope that was unticked, without saying so in the token response, on demand', async () => {
    const { signIn, api } = await setUp({ faults: { scopeInTokenResponse: 'never' } });
    const tokens = await signIn({ scope: 'company:read debts:read', scopes: ['company:read'] });
    expect(tokens).not.toHaveProperty('scope');
    expect((await api('/company/profile', tokens.access_token)).status).toBe(200);
    const refused = await api('/debts', tokens.access_token);
    expect([refused.status, refused.json.message]).toEqual([
      403,
      'Required scope "debts:read" not found in token',
    ]);
  });

  it('names the granted scopes whenever scopeInTokenResponse is always', async () => {
    const { signIn } = await setUp({ faults: { scopeInTokenResponse: 'always' } });
    const tokens = await signIn({ scope: 'company:read debts:read', scopes: ['debts:read'] });
    expect(tokens).toHaveProperty('scope', 'debts:read');
  });

  it('acts for the company that was chosen', async () => {
    const { signIn, api } = await setUp();
    const { access_token: accessToken } = await signIn({ company: lumiere });
    const { json } = await api('/company/profile', accessToken);
    expect(json).toMatchObject({ data: { name: lumiere, phone: null } });
  });

  it.each(['', 'openid', 'company:read company:write'])(
    'answers invalid_scope for the scope "%s"',
    async (scope) => {
      const { authorizeUrl } = await setUp();
      const location = await approve({ authorizeUrl: authorizeUrl({ scope }) });
      const { error, state } = Object.fromEntries(new URL(location).searchParams);
      expect([error, state]).toEqual(['invalid_scope', 'the-state']);
    },
  );

  it.each([
    'http://localhost:3000/oauth/callback/',
    'http://localhost:3001/oauth/callback',
    'http://127.0.0.1:3000/oauth/callback',
    'https://evil.example/',
  ])('never redirects to %s, which is not registered', async (uri) => {
    const { authorizeUrl } = await setUp();
    const { status, headers, text } = await send(authorizeUrl({ redirect_uri: uri }));
    expect([status, headers.get('location')]).toEqual([400, null]);
    expect(text).toContain('redirect_uri_mismatch');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('redirects to a URI that is registered while it runs', async () => {
    const { authorizeUrl, control } = await setUp();
    control.addRedirectUri('http://localhost:3999/cb');
    const location = await approve({
      authorizeUrl: authorizeUrl({ redirect_uri: 'http://localhost:3999/cb' }),
    });
    expect(location).toMatch(/^http:\/\/localhost:3999\/cb\?code=/);
  });

  it('shows an unknown client an error page', async () => {
    const { authorizeUrl } = await setUp();
    const redirect_uri = 'http://localhost:3000/elsewhere';
    const url = authorizeUrl({ client_id: 'nobody', redirect_uri });
    const { status, headers, text } = await send(url);
    expect([status, headers.get('location')]).toEqual([400, null]);
    expect(text).toContain('invalid_client');
    expect(text).toContain('Compare GETBILL_CLIENT_ID');
    expect(text).not.toContain('is not registered'); // of an address that has nothing to do with it
  });

  it('lets a browser with several tabs finish them in any order', async () => {
    const { authorizeUrl } = await setUp();
    const urls = ['one', 'two', 'three'].map((state) => authorizeUrl({ state }));
    const locations = await Promise.all(urls.map((url) => approve({ authorizeUrl: url })));
    expect(locations.map((location) => new URL(location).searchParams.get('state'))).toEqual([
      'one',
      'two',
      'three',
    ]);
  });

  it('answers at once with consent "auto"', async () => {
    const { authorizeUrl, token, api } = await setUp({ faults: { consent: 'auto' } });
    const { status, headers } = await send(authorizeUrl());
    expect(status).toBe(303);
    const answer = await token(codeFields(codeIn(headers.get('location') ?? '')));
    expect((await api('/debts?limit=1', answer.json.access_token)).status).toBe(200);
  });

  it('answers a sign-in page without its cookie with an explanation', async () => {
    const { authorizeUrl, origin } = await setUp();
    const { headers } = await send(authorizeUrl());
    const page = await send(new URL(headers.get('location') ?? '', origin).href);
    expect(page.status).toBe(400);
    expect(page.text).toContain('expired');
  });

  it('names its cookies after itself', async () => {
    const { authorizeUrl, control } = await setUp();
    const asked = await send(authorizeUrl());
    control.set({ consent: 'auto' });
    const signedIn = await send(authorizeUrl());
    const cookies = [asked, signedIn].flatMap(({ headers }) => headers.getSetCookie());
    expect(cookies.map((cookie) => cookie.split('=')[0]).sort()).toEqual([
      'sandbox_interaction',
      'sandbox_resume',
      'sandbox_session',
    ]);
  });

  it('lets the form lead to the app, and nothing inline, by its content security policy', async () => {
    const { authorizeUrl, origin } = await setUp();
    const { headers } = await send(authorizeUrl());
    const cookie = headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    const page = await send(new URL(headers.get('location') ?? '', origin).href, {
      headers: { cookie },
    });
    expect(page.headers.get('content-security-policy')).toContain(
      "form-action 'self' http://localhost:3000;",
    );
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe-inline');
    expect(page.text).toContain('not the real GetBill');
  });
});
