import { Agent, request } from 'undici';

const DEADLINE_MS = 20_000;

export interface TabResponse {
  readonly status: number;
  readonly location: string | undefined;
  readonly retryAfterS: number;
  readonly json: unknown;
}

/** A tab of a browser, played by the server: sends and keeps cookies, follows no redirect. */
export interface Tab {
  get(address: string | URL): Promise<TabResponse>;
  post(address: string, form: Readonly<Record<string, string>>): Promise<TabResponse>;
  /** Deletes this cookie of ours. */
  forget(cookie: string): void;
}

/** `cookie` is the header that the tab starts with. Each request has a connection of its own. */
export function openTab(publicUrl: URL, cookie = ''): Tab {
  const jars = new Map<string, Map<string, string>>(); // by origin
  const jarOf = (origin: string): Map<string, string> => {
    const jar = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, jar);
    return jar;
  };
  for (const pair of cookie.split(/;\s*/)) keep(jarOf(publicUrl.origin), pair);

  async function send(
    address: string | URL,
    options: { method: 'GET' | 'POST'; headers?: Record<string, string>; body?: string },
  ): Promise<TabResponse> {
    const url = new URL(address, publicUrl);
    const jar = jarOf(url.origin);
    const cookies = Array.from(jar, ([name, value]) => `${name}=${value}`).join('; ');
    const dispatcher = new Agent({ pipelining: 0 });
    try {
      const { statusCode, headers, body } = await request(url, {
        ...options,
        headers: { ...options.headers, accept: 'text/html', ...(cookies && { cookie: cookies }) },
        dispatcher,
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      for (const line of [headers['set-cookie'] ?? []].flat()) keep(jar, line);
      const text = await body.text();
      const location = [headers.location].flat()[0];
      return {
        status: statusCode,
        location,
        retryAfterS: Number(headers['retry-after'] ?? 0),
        json: jsonOf(text),
      };
    } finally {
      await dispatcher.close();
    }
  }

  return {
    get: (address) => send(address, { method: 'GET' }),
    post: (address, form) =>
      send(address, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(form).toString(),
      }),
    forget: (name) => void jarOf(publicUrl.origin).delete(name),
  };
}

function keep(jar: Map<string, string>, line: string): void {
  const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
  if (name === '') return;
  if (value === '' || /;\s*(max-age=0|expires=thu, 01 jan 1970)/i.test(line)) jar.delete(name);
  else jar.set(name, value);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
