import { createHash } from 'node:crypto';
import { request, type Dispatcher } from 'undici';
import type { Answer } from '../../support/browser.js';

export interface TimedAnswer extends Omit<Answer, 'location'> {
  ms: number;
}

export interface CallOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
  /** To use one connection of one's own. */
  dispatcher?: Dispatcher;
}

/** A process of the app, or what stands before several. */
export interface Target {
  readonly origin: string;
}

/** One signed-in browser, whose next request may reach any process. */
export interface Visitor {
  /** The name of its keys in Redis, and its name in the audit log. */
  grantId: string;
  grant: string;
  /** Its header. */
  cookie: string;
  call(app: Target, path: string, options?: CallOptions): Promise<TimedAnswer>;
  profile(app: Target, options?: CallOptions): Promise<TimedAnswer>;
  /** From the sign-out form. */
  csrfToken(app: Target): Promise<string>;
  signOut(app: Target): Promise<TimedAnswer>;
}

export function createVisitor({
  host,
  cookies,
  grant = '',
}: {
  host: string;
  cookies: ReadonlyMap<string, string>;
  grant?: string;
}): Visitor {
  const cookie = Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ');

  const sessionId =
    decodeURIComponent(cookies.get('__Host-gb-session') ?? '')
      .slice('s:'.length)
      .split('.')[0] ?? '';

  const visitor: Visitor = {
    grantId: createHash('sha256').update(sessionId).digest('base64url'),
    grant,
    cookie,
    async call({ origin }, path, { method = 'GET', headers = {}, body, signal, dispatcher } = {}) {
      const startedMs = performance.now();
      const answer = await request(origin + path, {
        method: method,
        headers: { host, 'x-forwarded-proto': 'https', ...(cookie && { cookie }), ...headers },
        body: body ?? null,
        ...(signal && { signal }),
        ...(dispatcher && { dispatcher }),
      });
      const text = await answer.body.text();
      return {
        status: answer.statusCode,
        headers: answer.headers,
        text,
        get json() {
          return JSON.parse(text) as Record<string, unknown>;
        },
        setCookies: [answer.headers['set-cookie'] ?? []].flat(),
        ms: performance.now() - startedMs,
      };
    },
    profile: (app, options) => visitor.call(app, '/api/company/profile', options),
    async csrfToken(app) {
      const { text } = await visitor.call(app, '/', { headers: { accept: 'text/html' } });
      const token = /name="_csrf" value="([^"]+)"/.exec(text)?.[1];
      if (token === undefined) throw new Error('GET / shows no sign-out form');
      return token;
    },
    async signOut(app) {
      const headers = { 'x-csrf-token': await visitor.csrfToken(app), accept: 'text/html' };
      return await visitor.call(app, '/logout', { method: 'POST', headers });
    },
  };
  return visitor;
}
