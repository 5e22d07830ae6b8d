import { createHash, randomBytes } from 'node:crypto';
import { allScopes } from '../../sandbox/authorization-server/scopes.js';
import {
  defaultClientId,
  defaultClientSecret,
  startSandbox,
  type Sandbox,
  type SandboxOptions,
} from '../../sandbox/sandbox.js';
import { approve, type ApproveRequest } from '../../sandbox/sign-in.js';

export const redirectUri = 'http://localhost:3000/oauth/callback';
export const lumiere = 'Recouvrement Lumière SARL';

/** A JSON body: what tokens need, the rest for the test to compare. */
export interface Json extends Record<string, unknown> {
  access_token: string;
  refresh_token: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: Json;
}

const running: Sandbox[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((sandbox) => sandbox.close()));
});

/** A sandbox of the test's own, closed after it, with what a client does with it. */
export async function setUp(options: SandboxOptions = {}) {
  const sandbox = await startSandbox(options);
  running.push(sandbox);
  const { origin, control } = sandbox;

  function authorizeUrl(params: Record<string, string> = {}, path = '/oauth/authorize'): string {
    const query = {
      response_type: 'code',
      client_id: defaultClientId,
      redirect_uri: redirectUri,
      state: 'the-state',
    };
    return `${origin}${path}?${new URLSearchParams({ ...query, scope: 'company:read debts:read', ...params }).toString()}`;
  }

  const token = (fields: Record<string, string>, path = '/oauth/token'): Promise<Answer> =>
    send(`${origin}${path}`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: defaultClientId,
        client_secret: defaultClientSecret,
        ...fields,
      }),
    });

  const refresh = (refreshToken: string, fields: Record<string, string> = {}) =>
    token({ grant_type: 'refresh_token', refresh_token: refreshToken, ...fields });

  async function signIn(
    request: Omit<ApproveRequest, 'authorizeUrl'> & { scope?: string } = {},
  ): Promise<Json> {
    const { verifier, challenge } = pkce();
    const url = authorizeUrl({
      scope: request.scope ?? allScopes.join(' '),
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    const code = codeIn(await approve({ ...request, authorizeUrl: url }));
    const answer = await token(codeFields(code, { code_verifier: verifier }));
    return answer.json;
  }

  const api = (path: string, accessToken: string, init: RequestInit = {}): Promise<Answer> =>
    send(`${origin}/external-api/v1${path}`, {
      ...init,
      headers: { authorization: `Bearer ${accessToken}` },
    });

  const write = (
    method: string,
    path: string,
    accessToken: string,
    body: unknown,
  ): Promise<Answer> => api(path, accessToken, { method, body: JSON.stringify(body) });

  return { sandbox, origin, control, authorizeUrl, token, refresh, signIn, api, write };
}

/** A client signed in with every scope. */
export async function signedIn(options: SandboxOptions = {}, company?: string) {
  const setup = await setUp(options);
  const { access_token: accessToken } = await setup.signIn(
    company === undefined ? {} : { company },
  );
  return {
    ...setup,
    get: (path: string) => setup.api(path, accessToken),
    change: (method: string, path: string, body: unknown) =>
      setup.write(method, path, accessToken, body),
  };
}

export const dataOf = (json: Json) => json['data'] as Record<string, unknown>;
export const listOf = (json: Json) => json['data'] as Record<string, unknown>[];

export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return { access_token: '', refresh_token: '', notJson: true };
  }
}

export function pkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

export const codeIn = (location: string): string =>
  new URL(location).searchParams.get('code') ?? '';

export const codeFields = (
  code: string,
  fields: Record<string, string> = {},
): Record<string, string> => ({
  grant_type: 'authorization_code',
  code,
  redirect_uri: redirectUri,
  ...fields,
});

/** A request that goes on while the test does something else. */
export function inBackground<T>(promise: Promise<T>): {
  settled: () => boolean;
  result: Promise<T>;
} {
  let settled = false;
  const done = () => {
    settled = true;
  };
  promise.then(done, done);
  return { settled: () => settled, result: promise };
}
