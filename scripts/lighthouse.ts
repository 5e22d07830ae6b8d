// `npm run lighthouse [runs]`: what Lighthouse thinks of the running demo's pages. The best
// performance of three runs counts; the rest has to be 100.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { request } from 'undici';
import { approve } from '../sandbox/sign-in.js';
import { pathOfTool } from './support/foreign-tool.js';
import { startDemo } from './support/running-demo.js';

interface Report {
  categories: Record<string, { score: number | null; auditRefs: { id: string; weight: number }[] }>;
  audits: Record<string, { score: number | null }>;
}

const runFile = promisify(execFile);
const ERROR_PAGE = '/no-such-page';
const runs = Number(process.argv[2] ?? 3);
const lighthouse = pathOfTool({ pkg: 'lighthouse@12.8.2', command: 'lighthouse' });
const demo = await startDemo();

/** Signs in without a browser: the cookies that a signed-in one sends. */
async function signIn(): Promise<string> {
  const cookies = new Map<string, string>();
  const get = async (path: string): Promise<string> => {
    const cookie = Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ');
    const answer = await request(new URL(path, demo.app), {
      headers: { cookie, accept: 'text/html' },
    });
    await answer.body.dump();
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    return String(answer.headers['location'] ?? '');
  };
  await get(await approve({ authorizeUrl: await get('/login') }));
  await get('/dashboard');
  return Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ');
}

/** The page of the first debt of the list. */
async function oneDebt(cookie: string): Promise<string> {
  const response = await request(new URL('/api/debts?limit=1', demo.app), { headers: { cookie } });
  const { data } = (await response.body.json()) as { data: { id: string }[] };
  return `/debts/${data[0]?.id ?? ''}`;
}

/**
 * The app, with 200 on its error page: Chrome writes any other status of a page to its console, and
 * Lighthouse counts that against the page.
 */
const with200 = createServer((req, res) => {
  void request(new URL(req.url ?? '/', demo.app), {
    headers: { accept: req.headers.accept ?? '*/*' },
  }).then(async ({ statusCode, headers, body }) =>
    res
      .writeHead(req.url === ERROR_PAGE ? 200 : statusCode, headers)
      .end(Buffer.from(await body.arrayBuffer())),
  );
});
await once(with200.listen(0, '127.0.0.1'), 'listening');
const errorOrigin = `http://127.0.0.1:${(with200.address() as AddressInfo).port}`;

async function audit(url: string, cookie: string): Promise<Report> {
  const args = [lighthouse, url, '--quiet', '--output=json', '--output-path=stdout', '--chrome-flags=--headless=new --no-sandbox --disable-gpu']; // prettier-ignore
  if (cookie !== '') args.push(`--extra-headers=${JSON.stringify({ Cookie: cookie })}`);
  const env = { ...process.env, CHROME_PATH: process.env['CHROMIUM'] ?? '/usr/bin/chromium' };
  const { stdout } = await runFile(process.execPath, args, { env, maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as Report;
}

const percent = ({ categories }: Report, name: string): number =>
  Math.round((categories[name]?.score ?? 0) * 100);

/** What a category lost points for. */
const faultsIn = ({ categories, audits }: Report, name: string): string[] =>
  (categories[name]?.auditRefs ?? [])
    .filter(
      ({ id, weight }) => weight > 0 && audits[id]?.score !== null && (audits[id]?.score ?? 1) < 1,
    )
    .map(({ id }) => id);

try {
  const cookie = await signIn();
  // SEO is for pages that a search engine may see.
  for (const [path, who, must, origin = demo.app] of [
    ['/', '', ['accessibility', 'best-practices', 'seo']],
    ['/dashboard', cookie, ['accessibility', 'best-practices']],
    ['/debts', cookie, ['accessibility', 'best-practices']],
    [await oneDebt(cookie), cookie, ['accessibility', 'best-practices']],
    ['/connection', cookie, ['accessibility', 'best-practices']],
    ['/flow', cookie, ['accessibility', 'best-practices']],
    [ERROR_PAGE, '', ['accessibility', 'best-practices', 'seo'], errorOrigin],
  ] as const) {
    const reports: Report[] = [];
    for (let number = 0; number < runs; number += 1) reports.push(await audit(origin + path, who));
    const performance = Math.max(...reports.map((report) => percent(report, 'performance')));
    const [report] = reports;
    if (report === undefined) throw new Error('at least one run');
    const scores = ['accessibility', 'best-practices', 'seo'].map(
      (name) => `${name} ${percent(report, name)}`,
    );
    console.log(`${path}: ${scores.join(', ')}, performance ${performance} (best of ${runs})`);
    for (const name of ['accessibility', 'best-practices', 'seo'] as const) {
      const faults = faultsIn(report, name);
      if (faults.length > 0) console.log(`  ${name}: ${faults.join(', ')}`);
      if ((must as readonly string[]).includes(name) && percent(report, name) < 100)
        process.exitCode = 1;
    }
  }
} finally {
  with200.close();
  demo.stop();
}
