// A GetBill that costs next to nothing: approves every authorization request, issues tokens, answers the company profile.
import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' };
const nonces = new Map();
let origin = '';
/** Of the access tokens issued from now on, in seconds. */
let lifetimeS = 3600;
let refreshes = 0;

const profile = JSON.stringify({
  error: false,
  code: 200,
  message: 'OK',
  data: {
    id: '0192e7a0-5d9c-7c1e-9d8e-0f6a1b2c3d4e',
    name: 'Nordwind GmbH',
    email: 'office@nordwind.example',
    phone: '+49 30 1234567',
    created_at: '2023-04-11T09:30:00Z',
  },
});

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function idToken(clientId, nonce) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: origin,
    aud: clientId,
    sub: 'company-1',
    iat: now,
    exp: now + 36_000,
    nonce,
  };
  const text = `${base64url({ alg: 'RS256', kid: 'bench', typ: 'JWT' })}.${base64url(claims)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`;
}

const json = (res, body, headers = {}) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), ...headers }).end(text); // prettier-ignore
};

async function bodyOf(req) {
  let text = '';
  for await (const chunk of req) text += chunk;
  return new URLSearchParams(text);
}

const routes = {
  'GET /external-api/v1/company/profile': (req, res) => {
    if (!req.headers.authorization?.startsWith('Bearer ')) return res.writeHead(401).end();
    json(res, profile, { 'X-RateLimit-Limit': '1000000000', 'X-RateLimit-Remaining': '999999999', 'X-RateLimit-Reset': String(Math.floor(Date.now() / 1000) + 3600), 'X-RateLimit-Window': '3600' }); // prettier-ignore
  },
  'GET /oauth/authorize': (_req, res, url) => {
    const code = randomBytes(16).toString('hex');
    nonces.set(code, url.searchParams.get('nonce') ?? undefined);
    const back = new URL(url.searchParams.get('redirect_uri'));
    back.searchParams.set('code', code);
    back.searchParams.set('state', url.searchParams.get('state'));
    res.writeHead(302, { Location: back.href }).end();
  },
  'POST /oauth/token': async (req, res) => {
    const form = await bodyOf(req);
    const basic = Buffer.from(req.headers.authorization?.split(' ')[1] ?? '', 'base64').toString();
    const clientId = form.get('client_id') ?? basic.split(':')[0];
    if (form.get('grant_type') === 'refresh_token') refreshes += 1;
    const code = form.get('code');
    const nonce = nonces.get(code);
    nonces.delete(code);
    const tokens = {
      access_token: randomBytes(32).toString('hex'),
      refresh_token: randomBytes(32).toString('hex'),
    };
    json(res, { ...tokens, token_type: 'Bearer', expires_in: lifetimeS, scope: form.get('scope') ?? undefined, ...(nonce && { id_token: idToken(clientId, nonce) }) }); // prettier-ignore
  },
  'GET /.well-known/openid-configuration': (_req, res) =>
    json(res, {
      issuer: origin,
      authorization_endpoint: `${origin}/oauth/authorize`,
      token_endpoint: `${origin}/oauth/token`,
      jwks_uri: `${origin}/jwks`,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    }),
  'GET /jwks': (_req, res) => json(res, { keys: [jwk] }),
  'POST /bench/lifetime': (_req, res, url) => {
    lifetimeS = Number(url.searchParams.get('s'));
    json(res, { lifetimeS });
  },
  'GET /bench/refreshes': (_req, res) => json(res, { refreshes }),
};

const server = createServer((req, res) => {
  const url = new URL(req.url, origin);
  const route = routes[`${req.method} ${url.pathname}`];
  if (route === undefined) return res.writeHead(404).end();
  void route(req, res, url);
});
server.listen(0, '127.0.0.1', () => {
  origin = `http://127.0.0.1:${server.address().port}`;
  console.log(JSON.stringify({ port: server.address().port }));
});
