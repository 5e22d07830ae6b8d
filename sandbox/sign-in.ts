export interface ApproveRequest {
  authorizeUrl: string | URL;
  /** Id or name of the company; the first one when absent. */
  company?: string;
  /** The scopes to leave ticked; all requested ones when absent. */
  scopes?: readonly string[];
  decision?: 'allow' | 'deny';
}

interface Page {
  url: URL;
  html: string;
}

/**
 * Walks the sandbox's sign-in pages as a browser without scripts would and returns where it sends
 * the browser at last.
 * @throws {Error} the sandbox shows an error page instead; the message has its text.
 */
export async function approve({
  authorizeUrl,
  company,
  scopes,
  decision = 'allow',
}: ApproveRequest): Promise<string> {
  const start = new URL(authorizeUrl);
  const cookies = new Map<string, string>();

  async function request(url: URL, form?: URLSearchParams): Promise<Page | string> {
    const headers = {
      cookie: Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; '),
    };
    const init: RequestInit = form === undefined ? {} : { method: 'POST', body: form };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    const html = await response.text();
    const location = response.headers.get('location');
    if (location === null && !response.ok) throw new Error(`${response.status} ${textOf(html)}`);
    if (location === null) return { url, html };
    const next = new URL(location, url);
    return next.origin === start.origin ? request(next) : next.href;
  }

  const page = await request(start);
  if (typeof page === 'string') return page;
  const form = fill(page.html, {
    ...(company && { company }),
    ...(scopes && { scopes }),
    decision,
  });
  const action = attribute(/<form[^>]*>/.exec(page.html)?.[0] ?? '', 'action');
  const end = await request(new URL(action, page.url), form);
  if (typeof end !== 'string') throw new Error(`no redirect: ${textOf(end.html)}`);
  return end;
}

function fill(
  html: string,
  { company, scopes, decision }: Omit<ApproveRequest, 'authorizeUrl'>,
): URLSearchParams {
  const form = new URLSearchParams({ decision: decision ?? 'allow' });
  const labels = html.match(/<label[\s\S]*?<\/label>/g) ?? [];
  for (const label of labels) {
    const name = attribute(label, 'name');
    const value = attribute(label, 'value');
    const wanted =
      name === 'company'
        ? company === undefined
          ? label.includes('checked')
          : value === company || label.includes(company)
        : (scopes?.includes(value) ?? true);
    if (wanted) form.append(name, value);
  }
  return form;
}

const attribute = (tag: string, name: string): string =>
  new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? '';

const textOf = (html: string): string =>
  html
    .replace(/<head>[\s\S]*<\/head>|<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
