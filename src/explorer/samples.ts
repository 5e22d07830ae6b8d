import type { Operation } from './operations.js';
import type { ExplorerRequest } from './request.js';

/** The same request in another place. */
export interface Sample {
  readonly name: string;
  readonly note: string;
  readonly code: string;
}

/** Never with a token: the reader's shell fills in `$ACCESS_TOKEN`. */
export function samplesOf(
  { endpoint: { method } }: Operation,
  { path, query, body }: ExplorerRequest,
  { apiUrl }: { apiUrl: URL },
): readonly Sample[] {
  const target = path + query;
  return [
    {
      name: 'curl',
      note: 'straight to GetBill, with an access token of yours',
      code: curl(method, apiUrl.href.replace(/\/$/, '') + target, body),
    },
    {
      name: 'fetch',
      note: 'in a page of this app: the token stays on the server',
      code: fetchCode(method, `/api${target}`, body),
    },
    {
      name: 'command line',
      note: 'with the credentials of this app, for work without a person',
      code: commandLine(method, target, body),
    },
  ];
}

function curl(method: string, url: string, body: string | undefined): string {
  const lines = [`curl ${method === 'GET' ? '' : `-X ${method} `}${shellQuoted(url)}`];
  lines.push(`-H "Authorization: Bearer $ACCESS_TOKEN"`);
  if (body !== undefined) {
    lines.push(`-H 'Content-Type: application/json'`, `--data-binary ${shellQuoted(body)}`);
  }
  return lines.join(' \\\n  ');
}

function fetchCode(method: string, url: string, body: string | undefined): string {
  const call = (rest: string): string => `const response = await fetch(${quoted(url)}${rest});`;
  const read = 'console.log(response.status, await response.json());';
  if (method === 'GET') return `${call('')}\n${read}`;
  const json = body === undefined ? '' : `, 'Content-Type': 'application/json'`;
  const options = [
    `method: '${method}'`,
    `headers: { 'X-CSRF-Token': csrfToken${json} }`,
    ...(body === undefined ? [] : [`body: JSON.stringify(${indented(body)})`]),
  ];
  return [
    `const { csrfToken } = await (await fetch('/session')).json();`,
    call(`, {\n  ${options.join(',\n  ')},\n}`),
    read,
  ].join('\n');
}

function commandLine(method: string, target: string, body: string | undefined): string {
  const call = `npm run getbill -- call ${method} ${shellQuoted(target)}`;
  return body === undefined ? call : `${call} --from /dev/stdin <<'JSON'\n${body}\nJSON`;
}

/** Valid JSON is valid JavaScript. */
const indented = (json: string): string => json.replaceAll('\n', '\n  ');

const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;

const shellQuoted = (text: string): string =>
  /^[\w/:.=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
