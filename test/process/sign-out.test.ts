import { startInstallation, type Installation } from './support/installation.js';
import { until } from '../support/until.js';
import type { Visitor } from './support/visitor.js';

jest.setTimeout(120_000); // processes have to start, on a machine that may be busy

let site: Installation<'a' | 'b'>;
beforeAll(async () => {
  site = await startInstallation({
    processes: ['a', 'b'],
    env: ({ getbill }) => ({ GETBILL_REVOKE_URL: `${getbill}/oauth/revoke` }),
    faults: { revocation: true },
  });
});
afterAll(() => site.close());

async function expectNothingLeft({ grantId }: Visitor): Promise<void> {
  const keys = await site.redis.client.keys('*');
  expect(keys.filter((key) => /^(sess|lease):/.test(key) || key === `grant:${grantId}`)).toEqual(
    [],
  );
}

const refreshTokensIn = (path: string, name: string): (string | null)[] =>
  site.sandbox.control
    .requests()
    .filter(({ url }) => url === path)
    .map(({ body }) => new URLSearchParams(body))
    .filter(
      (form) =>
        form.get('grant_type') === 'refresh_token' ||
        form.get('token_type_hint') === 'refresh_token',
    )
    .map((form) => form.get(name));

describe('[immunity 7] signing out at one process', () => {
  it('wins over a renewal that is under way at another; the token it receives is revoked', async () => {
    const { control, origin } = site.sandbox;
    control.clearRequests();
    const visitor = await site.signIn();
    const ofVisitor = async (type: 'token_revoked' | 'session_ended') =>
      (await site.audit(type)).filter(({ grant }) => grant === visitor.grant);
    control.expireAccessTokens();
    control.set({ token: [{ mode: 'holdAnswer', grantType: 'refresh_token' }] });
    const renewing = visitor.profile(site.apps.a);
    await until('GetBill has rotated', () => control.state().held === 1);
    expect((await visitor.signOut(site.apps.b)).status).toBe(303);
    control.release();

    const late = await renewing;
    expect(late.status).toBe(401);
    expect(late.json).toMatchObject({ login_url: '/login' });
    await expectNothingLeft(visitor);
    expect((await visitor.profile(site.apps.a)).status).toBe(401);

    await until(
      'both token sets are revoked',
      async () => (await ofVisitor('token_revoked')).length === 2,
    );
    const [spent] = refreshTokensIn('/oauth/token', 'refresh_token');
    const received = refreshTokensIn('/oauth/revoke', 'token').filter((token) => token !== spent);
    expect(received).toHaveLength(1);
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: received[0] ?? '',
    });
    const authorization = `Basic ${Buffer.from('sandbox-client:sandbox-secret-7c1f0e5ad2b94c36').toString('base64')}`;
    expect(
      (await fetch(`${origin}/oauth/token`, { method: 'POST', headers: { authorization }, body }))
        .status,
    ).toBe(400);
    expect(await ofVisitor('session_ended')).toMatchObject([
      { reason: 'signed_out', grant: visitor.grant },
    ]);
  });

  it('is not undone by a slow call that ends afterwards', async () => {
    const { control } = site.sandbox;
    const visitor = await site.signIn();
    control.set({ api: [{ mode: 'hold', path: '/company/profile' }] });
    const slow = visitor.profile(site.apps.a);
    await until('the call is held', () => control.state().held === 1);
    expect((await visitor.signOut(site.apps.b)).status).toBe(303);
    control.release();
    for (const cookie of (await slow).setCookies)
      expect(cookie).toMatch(/=; .*Expires=Thu, 01 Jan 1970/);
    await expectNothingLeft(visitor);
    expect((await visitor.profile(site.apps.a)).status).toBe(401);
  });
});
