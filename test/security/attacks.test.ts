import { readFileSync } from 'node:fs';
import type { AppEvent } from '../../src/events.js';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { createVisitor, type Visitor } from '../process/support/visitor.js';
import { exchange, rawRequest, type RawAnswer } from '../proxy/support/raw-http.js';
import { createBrowser, type Browser } from '../support/browser.js';
import { startTlsProxy, type TlsProxy } from '../support/tls-proxy.js';
import { PUBLIC_URL } from '../process/support/environment.js';
import { createAuthority, type Authority } from './support/certificates.js';
import { snapshot } from './support/snapshot.js';

jest.setTimeout(90_000);

let site: Installation<'app'>;
let authority: Authority;
let proxy: TlsProxy;
let victim: Visitor;
let cookie: string;
let csrfToken: string;
/** Of a sign-in that somebody has begun and not finished. */
let binding: string;
beforeAll(async () => {
  authority = createAuthority();
  const { key, cert } = authority.issue();
  site = await startInstallation({ processes: ['app'] });
  proxy = await startTlsProxy({ key, cert, to: site.apps.app.origin });
  const [signedIn, beginning] = [newBrowser(), newBrowser()];
  await signedIn.signIn();
  victim = createVisitor({ host: new URL(PUBLIC_URL).host, cookies: signedIn.cookies });
  csrfToken = await victim.csrfToken(site.apps.app);
  cookie = `Cookie: __Host-gb-session=${signedIn.cookies.get('__Host-gb-session') ?? ''}`;
  await beginning.startLogin();
  binding = `Cookie: __Host-gb-login=${beginning.cookies.get('__Host-gb-login') ?? ''}`;
});
afterAll(async () => {
  proxy.close();
  authority.remove();
  await site.close();
});

const newBrowser = (): Browser =>
  createBrowser({ origin: site.apps.app.origin, publicUrl: PUBLIC_URL });
const send = (bytes: Buffer): Promise<RawAnswer> =>
  exchange(proxy.origin, bytes, readFileSync(authority.caFile, 'utf8'));
const HEAD = ['Host: connect.example', 'Connection: close'];
const FORM = 'Content-Type: application/x-www-form-urlencoded';

interface Attack {
  /** Everything of a request that is not the least it needs. */
  method?: string;
  target?: string;
  headers?: () => string[];
  body?: () => string;
  /** Instead of all that. */
  bytes?: () => string;
  status: number | readonly number[];
  /** What the audit log says of it. */
  audited?: AppEvent['type'];
}

const callback = (query: string, headers = () => [binding]): Attack => ({ target: `/oauth/callback?${query}`, headers, status: 400, audited: 'login_failed' }); // prettier-ignore
const write = (headers: () => string[], attack: Partial<Attack> = {}): Attack => ({ method: 'POST', target: '/logout', headers: () => [cookie, 'Content-Length: 0', ...headers()], status: 403, audited: 'request_refused', ...attack }); // prettier-ignore
const smuggled = (lines: string, status: Attack['status'] = 400): Attack => ({ bytes: () => lines.replaceAll('COOKIE', cookie).replaceAll('\n', '\r\n'), status }); // prettier-ignore
const path = (target: string, status: Attack['status'] = [400, 404], method = 'GET'): Attack => ({ method, target, headers: () => [cookie], status }); // prettier-ignore
const INNER = `POST /logout HTTP/1.1\nHost: connect.example\nCOOKIE\nContent-Length: 0\n\n`;

const attacks: Readonly<Record<string, Attack>> = {
  'a callback nobody began': callback('code=x&state=y', () => []),
  'a callback with a state of somebody else': callback('code=x&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
  'a callback with two states': callback('code=x&state=a&state=b'),
  'a callback with a state as a list': callback('code=x&state[]=a'),
  'a callback with a null byte': callback('code=%00&state=a'),
  'a callback with a line break': callback('code=a%0d%0aSet-Cookie:x=y&state=a'),
  'a callback with a token in it': callback('access_token=x&state=a'),
  'a callback with 5 KB of state': callback(`code=x&state=${'a'.repeat(5_000)}`),

  'signing out without a token': write(() => []),
  'signing out with a token in the query': write(() => [], { target: '/logout?_csrf=x' }),
  'signing out from another site': write(() => [`X-CSRF-Token: ${csrfToken}`, 'Origin: https://evil.example']),
  'signing out from a frame': write(() => [`X-CSRF-Token: ${csrfToken}`, 'Sec-Fetch-Site: cross-site']),
  'signing out by an overridden method': { method: 'GET', target: '/logout?_method=POST', headers: () => [cookie, 'X-HTTP-Method-Override: POST', `X-CSRF-Token: ${csrfToken}`], status: 405 },
  'a write to the API without a token': write(() => [], { target: '/api/debts' }),
  'starting a sign-in from an image': { target: '/login', headers: () => ['Sec-Fetch-Dest: image', 'Sec-Fetch-Mode: no-cors'], status: 403, audited: 'request_refused' },

  'a length and chunks': smuggled(`POST / HTTP/1.1\nHost: connect.example\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n${INNER}`),
  'two lengths': smuggled(`POST / HTTP/1.1\nHost: connect.example\nContent-Length: 0\nContent-Length: 5\n\n${INNER}`),
  'chunks that are obscured': smuggled(`POST / HTTP/1.1\nHost: connect.example\nTransfer-Encoding: xchunked\n\n0\n\n${INNER}`),
  'chunks named by a header with a blank': smuggled(`POST / HTTP/1.1\nHost: connect.example\nTransfer-Encoding : chunked\n\n0\n\n${INNER}`),
  'a chunk size that is no number': smuggled(`POST /logout HTTP/1.1\nHost: connect.example\n${FORM}\nTransfer-Encoding: chunked\n\nzz\n\n${INNER}`),
  'a folded header': smuggled(`GET / HTTP/1.1\nHost: connect.example\nX-A: a\n b: c\n\x00\n\n`),
  'a request without a Host': smuggled('GET / HTTP/1.1\n\n'),
  'a request of another protocol': smuggled('SSH-2.0-OpenSSH_9.2\n\n'),
  'a request of HTTP/2 in the open': smuggled('PRI * HTTP/2.0\n\nSM\n\n'),

  'a path out of the assets': path('/assets/../package.json'),
  'a path out of the assets, encoded': path('/assets/%2e%2e%2f.env'),
  'a path with a null byte': path('/assets/style.css%00.png'),
  'a path with backslashes': path('/assets/..\\..\\package.json'),
  'a path out of the API': path('/api/../../admin'),
  'a path out of the API, encoded': path('/api/%2e%2e/%2e%2e/oauth/token', [400, 404]),
  'a path with half an escape': path('/%'),
  'another spelling of signing out': path('/LOGOUT', [403, 404], 'POST'),
  'an address of another host': path('http://evil.example/connection', 200),

  'TRACE': path('/dashboard', 405, 'TRACE'),
  'PROPFIND': path('/', 405, 'PROPFIND'),
  'PUT to a page': path('/debts', 405, 'PUT'),
  'DELETE of the API': { ...path('/api/debts/x', 403, 'DELETE'), audited: 'request_refused' },
  'a foreign Host': { bytes: () => `GET /login HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`, status: 302 },
  'forwarding headers of one\'s own': { target: '/dashboard', headers: () => ['X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: http', 'Forwarded: host=evil.example'], status: 302 },

  'a session cookie that is forged': { target: '/dashboard', headers: () => ['Cookie: __Host-gb-session=s%3Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.AAAA'], status: 302 },
  'a session cookie that is an object': { target: '/session', headers: () => ['Cookie: __Host-gb-session=j%3A%7B%22signedInAt%22%3A1%7D'], status: 401 },
  'a session cookie of half an escape': { target: '/session', headers: () => ['Cookie: __Host-gb-session=%'], status: 401 },
  'a session id in the query': { target: '/session?__Host-gb-session=x', status: 401 },
  'a cookie without its prefix': { target: '/session', headers: () => [cookie.replace('__Host-', '')], status: 401 },
  'cookies of 17 KB': { target: '/dashboard', headers: () => [`Cookie: a=${'a'.repeat(17_000)}`], status: 431 },
  'a form of 11 KB': { method: 'POST', target: '/logout', headers: () => [cookie, FORM, `X-CSRF-Token: ${csrfToken}`], body: () => 'a'.repeat(11_000), status: 413 },
}; // prettier-ignore

const bytesOf = ({
  method = 'GET',
  target = '/',
  headers = () => [],
  body = () => '',
  bytes,
}: Attack): Buffer => {
  if (bytes !== undefined) return Buffer.from(bytes(), 'latin1');
  const length = body() === '' ? [] : [`Content-Length: ${body().length}`];
  return rawRequest(method, target, [...HEAD, ...headers(), ...length], body());
};

describe('an attack on the app in production, through TLS', () => {
  it.each(Object.entries(attacks))('does nothing but get its answer: %s', async (_name, attack) => {
    const { app } = site.apps;
    const look = () => snapshot({ app: site, redis: site.redis });
    const before = await look();
    const lines = attack.audited === undefined ? 0 : (await app.audit(attack.audited)).length;

    const answer = await send(bytesOf(attack));
    expect([attack.status].flat()).toContain(answer.status);
    expect(answer.status).toBeLessThan(500);
    expect(answer.headers.get('location') ?? '').not.toContain('evil.example');
    expect(answer.headers.get('set-cookie') ?? '').not.toContain('gb-session');

    if (attack.audited !== undefined)
      expect(await app.audit(attack.audited)).toHaveLength(lines + 1);
    expect(await look()).toEqual(before);
    expect((await victim.profile(app)).status).toBe(200);
  });
});
