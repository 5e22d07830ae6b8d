import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createMemoryKeyValue,
  createOAuthClient,
  type OAuthClientOptions,
  UnavailableError,
} from '../../src/core/index.js';

const provider: OAuthClientOptions['provider'] = {
  authorizeUrl: new URL('https://getbill.test/authorize'),
  tokenUrl: new URL('https://getbill.test/token'),
  clientId: 'id',
  clientSecrets: [{ reveal: () => 'secret' }],
  redirectUri: 'https://app.test/callback',
  scopes: [],
};
const createWith = (changed: Partial<OAuthClientOptions>) =>
  createOAuthClient({
    provider,
    storage: createMemoryKeyValue(),
    encryptionKeys: [Buffer.alloc(32)],
    ...changed,
  });
const create = (
  changed: Partial<OAuthClientOptions['provider']>,
  encryptionKeys = [Buffer.alloc(32)],
) => createWith({ provider: { ...provider, ...changed }, encryptionKeys });
/** What `process.env` holds for a variable that is not set. */
const unset = undefined as never;

describe('createOAuthClient', () => {
  it('takes options that are whole', () => {
    expect(() => create({})).not.toThrow();
  });

  it.each([
    ['a client id', () => create({ clientId: unset }), /clientId/],
    ['a redirect URI', () => create({ redirectUri: '' }), /redirectUri/],
    ['an address to sign in at', () => create({ authorizeUrl: unset }), /authorizeUrl/],
    ['an address for tokens', () => create({ tokenUrl: unset }), /tokenUrl/],
    ['scopes', () => create({ scopes: unset }), /scopes/],
    ['a storage', () => createOAuthClient({ provider, storage: unset, encryptionKeys: [Buffer.alloc(32)] }), /storage/], // prettier-ignore
    ['a storage that is one', () => createOAuthClient({ provider, storage: null as never, encryptionKeys: [Buffer.alloc(32)] }), /storage/], // prettier-ignore
    ['any client secret', () => create({ clientSecrets: [] }), /clientSecrets/],
    [
      'a client secret that is set',
      () => create({ clientSecrets: [{ reveal: () => unset }] }),
      /clientSecrets/,
    ],
    ['any provider', () => createOAuthClient({} as never), /"provider\./],
    ['a list of client secrets', () => create({ clientSecrets: unset }), /provider\.clientSecrets/],
    ['a client secret that is wrapped', () => create({ clientSecrets: ['s'] as never }), /clientSecrets.*reveal/], // prettier-ignore
    ['a list of scopes', () => create({ scopes: 'company:read' as never }), /provider\.scopes/],
    ['addresses that are URLs', () => create({ tokenUrl: 'https://a.test' as never }), /tokenUrl.*URL/], // prettier-ignore
    ['a client id that is a text', () => create({ clientId: 5 as never }), /provider\.clientId/],
    ['a redirect URI that is a text', () => create({ redirectUri: new URL('https://a.test') as never }), /provider\.redirectUri/], // prettier-ignore
    ['an issuer that is a text', () => create({ issuer: new URL('https://a.test') as never }), /provider\.issuer/], // prettier-ignore
    ['a revocation URL that is one', () => create({ revokeUrl: 'https://a.test' as never }), /provider\.revokeUrl/], // prettier-ignore
    ['scopes that are texts', () => create({ scopes: [5] as never }), /provider\.scopes/],
    ['client secrets in a list', () => create({ clientSecrets: 5 as never }), /provider\.clientSecrets/], // prettier-ignore
    ['a client secret that is a text', () => create({ clientSecrets: [{ reveal: () => 5 as never }] }), /provider\.clientSecrets/], // prettier-ignore
    ['a deadline that is a number', () => create({ timeoutMs: '5000' as never }), /timeoutMs/],
    ['a margin that is a number', () => create({ marginMs: NaN }), /marginMs/],
    ['a limit that is a number', () => createWith({ renewalsPerMinute: NaN }), /renewalsPerMinute/],
    ['a fetch that is a function', () => createWith({ fetch: {} as never }), /fetch/],
    ['a sender that is a function', () => createWith({ send: 'x' as never }), /send/],
    ['a report that is a function', () => createWith({ report: console as never }), /report/],
    ['any method of the storage', () => createWith({ storage: { ...createMemoryKeyValue(), compareAndSet: unset } }), /"storage" has no compareAndSet/], // prettier-ignore
    ['an encryption key', () => create({}, []), /"encryptionKeys"/],
    ['a list of encryption keys', () => create({}, 'x'.repeat(32) as never), /"encryptionKeys"/],
    ['one key in a list', () => create({}, Buffer.alloc(32) as never), /"encryptionKeys"/],
    ['a key of bytes', () => create({}, ['x'.repeat(32)] as never), /"encryptionKeys".*Buffer/],
    [
      'a key of 32 bytes',
      () => create({}, [Buffer.alloc(32), Buffer.alloc(16)]),
      /16 bytes, not 32/,
    ],
  ])('throws at once, not at the first sign-in, without %s', (_name, construct, message) => {
    expect(construct).toThrow(TypeError);
    expect(construct).toThrow(message);
  });

  it('says what a callback is read from, where the parsed query of Express is given', async () => {
    const { signIn } = create({});
    const done = signIn.complete({ binding: 'b', response: { code: 'c', state: 's' } as never });
    await expect(done).rejects.toThrow('"response" is no URLSearchParams');
  });

  it('comes back to the start page where no other is named', async () => {
    const token = { access_token: 'at', token_type: 'Bearer' };
    const client = createOAuthClient({
      provider,
      storage: createMemoryKeyValue(),
      encryptionKeys: [Buffer.alloc(32)],
      fetch: () => Promise.resolve(Response.json(token)),
    });
    const { searchParams } = await client.signIn.start({ binding: 'b' });
    const response = new URLSearchParams({ code: 'c', state: searchParams.get('state') ?? '' });
    const completed = await client.signIn.complete({ binding: 'b', response });
    expect(completed).toMatchObject({ returnTo: '/', tokenSet: { accessToken: 'at' } });
  });

  it('[A17] sends the secret to the token endpoint alone, wherever that redirects to', async () => {
    const seen: string[] = [];
    const server = createServer((req, res) => {
      seen.push(req.url ?? '');
      res.writeHead(307, { location: '/elsewhere' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const client = create({ tokenUrl: new URL(`http://127.0.0.1:${port}/token`) });
    await expect(client.appTokens.access(['a'])).rejects.toMatchObject({ status: 502 });
    server.closeAllConnections();
    server.close();
    expect(seen).toEqual(['/token']);
  });

  it('reads no more of a token response than any has', async () => {
    let chunks = 0;
    const endless = new ReadableStream({
      pull(controller) {
        chunks += 1;
        controller.enqueue(Buffer.alloc(16_384, ' '));
        if (chunks > 1_000) controller.close();
      },
    });
    const client = createOAuthClient({
      provider,
      storage: createMemoryKeyValue(),
      encryptionKeys: [Buffer.alloc(32)],
      fetch: () => Promise.resolve(new Response(endless)),
    });
    await expect(client.appTokens.access(['a'])).rejects.toThrow(UnavailableError);
    expect(chunks).toBeLessThan(10);
  });

  it('loses no token to a report that throws', async () => {
    const token = { access_token: 'at', token_type: 'Bearer', expires_in: 60 };
    const report = jest.fn(() => {
      throw new Error('a full disk');
    });
    const client = createOAuthClient({
      provider,
      storage: createMemoryKeyValue(),
      encryptionKeys: [Buffer.alloc(32)],
      fetch: () => Promise.resolve(Response.json(token)),
      report,
    });
    expect(await client.appTokens.access(['a'])).toMatchObject({ accessToken: 'at' });
    expect(report).toHaveBeenCalled();
  });
});
