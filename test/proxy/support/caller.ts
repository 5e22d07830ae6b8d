import { request } from 'undici';
import type { Browser } from '../../support/browser.js';
import { startTestApp, type TestApp, type TestAppOptions } from '../../support/test-app.js';

jest.setTimeout(20_000); // the machine may be busy

const SCOPES =
  'company:read debts:read debts:write followups:read followups:write creditors:read creditors:write';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  bytes: Buffer;
  json: Record<string, unknown>;
}

export interface CallOptions {
  headers?: Record<string, string>;
  body?: string | Buffer | ReadableStream<Uint8Array> | undefined;
}

/** A signed-in front end: its cookies, its CSRF token, and answers as bytes. */
export interface Caller {
  browser: Browser;
  csrfToken: string;
  cookie(): string;
  /** As it is given: neither CSRF token nor media type is added. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  read(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** With the CSRF token; a body is declared to be JSON. */
  write(
    method: string,
    path: string,
    body?: CallOptions['body'],
    headers?: Record<string, string>,
  ): Promise<Answer>;
}

/** As `startTestApp`, with all the scopes that writes need. */
export function startProxyApp({ env = {}, ...options }: TestAppOptions = {}): Promise<TestApp> {
  return startTestApp({ env: { GETBILL_SCOPES: SCOPES, ...env }, ...options });
}

export async function signIn(
  app: TestApp,
  choice: { company?: string; scopes?: readonly string[] } = {},
): Promise<Caller> {
  const browser = app.browser();
  const callback = await browser.signIn(choice);
  if (callback.status !== 303) throw new Error(`signing in ended with ${callback.status}`);
  const session = await browser.get('/session');
  return createCaller(app.origin, browser, String(session.json['csrfToken']));
}

export function createCaller(origin: string, browser: Browser, csrfToken: string): Caller {
  const cookie = (): string =>
    Array.from(browser.cookies, ([name, value]) => `${name}=${value}`).join('; ');
  const call: Caller['call'] = (method, path, { headers, body } = {}) =>
    send(origin, method, path, { headers: { cookie: cookie(), ...headers }, body });
  return {
    browser,
    csrfToken,
    cookie,
    call,
    read: (path, headers = {}) => call('GET', path, { headers }),
    write: (method, path, body, headers = {}) =>
      call(method, path, {
        headers: {
          'x-csrf-token': csrfToken,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        body,
      }),
  };
}

export async function send(
  origin: string,
  method: string,
  path: string,
  { headers = {}, body }: CallOptions = {},
): Promise<Answer> {
  const answer = await request(origin + path, {
    method,
    headers,
    body: body ?? null,
    duplex: 'half',
  } as Parameters<typeof request>[1]);
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  return {
    status: answer.statusCode,
    headers: answer.headers,
    bytes,
    get json() {
      return JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
    },
  };
}
