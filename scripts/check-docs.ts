// Whether the documents still say what is so: events, metrics, alerts, variables, routes, titles of tests, links, anchors
// and lines of code. `--fix` sets the numbers of linked lines to where the code is now.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { variables } from '../src/config/variables.js';
import { createMetrics } from '../src/telemetry/metrics.js';
import { guideHeadings } from './support/guide-headings.js';
import { lineLinkFaults } from './support/line-links.js';

const read = (file: string): string => readFileSync(file, 'utf8');
const faults: string[] = [];
const all = (pattern: RegExp, text: string): string[] => [...text.matchAll(pattern)].map(([, found = '']) => found);

/** Both lists must hold the same names, each once. */
function compare(what: string, written: readonly string[], real: readonly string[]): void {
  const twice = written.filter((name, index) => written.indexOf(name) !== index);
  for (const name of real.filter((one) => !written.includes(one))) faults.push(`${what}: ${name} is missing`);
  for (const name of written.filter((one) => !real.includes(one))) faults.push(`${what}: ${name} does not exist`);
  for (const name of twice) faults.push(`${what}: ${name} is there twice`);
}

const markdown = ['.', 'docs', 'sandbox', 'deploy', 'examples', 'examples/minimal', 'bench']
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).map((name) => normalize(join(folder, name))))
  .filter((file) => file.endsWith('.md'));

/** A table row's first cell. */
const firstCells = (text: string): string[] => all(/^\| ([^|]+?) +\|/gm, text);

function checkEvents(): void {
  const vocabulary = read('src/core/events.ts') + read('src/events.ts');
  const unions = all(/export type \w+Event =([\s\S]*?);\n\n/g, vocabulary).join('\n');
  const table = firstCells(read('docs/events.md')).flatMap((cell) => all(/^`(\w+)`$/g, cell));
  compare('docs/events.md', table, all(/\btype: '(\w+)'/g, unions));
}

function checkVariables(): void {
  const names = Object.keys(variables);
  const section = /## With your own GetBill client([\s\S]*?)\n## /.exec(read('README.md'))?.[1] ?? '';
  compare("README.md's variables", firstCells(section).flatMap((cell) => all(/`([A-Z][A-Z0-9_]+)`/g, cell)), names); // prettier-ignore
  compare('.env.example', all(/^#?([A-Z][A-Z0-9_]+)=/gm, read('.env.example')), names);
}

/** The table names every metric with its type and labels; dashboard and alerts use no other. */
async function checkMetrics(): Promise<void> {
  const { body } = await createMetrics({ now: Date.now }).text();
  const types = new Map([...body.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type]));
  const source = read('src/telemetry/metrics.ts');
  const ours = [...types].flatMap(([name, type]) => {
    if (!name.startsWith('getbill_connect_')) return [];
    const short = name.slice('getbill_connect_'.length);
    const line = source.split('\n').find((one) => new RegExp(`'(getbill_connect_)?${short}'`).test(one)) ?? '';
    const labels = all(/'(\w+)'/g, /\[('[^\]]*)\]/.exec(line)?.[1] ?? '');
    return [`${short} ${type} ${labels.join(' ')}`.trim()];
  });
  const rows = [...read('docs/metrics.md').matchAll(/^\| `(\w+)` +\| (\w+) +\| ([^|]*)\|/gm)];
  compare('docs/metrics.md', rows.map(([, name = '', type = '', labels = '']) => `${name} ${type} ${all(/`(\w+)`/g, labels).join(' ')}`.trim()), ours); // prettier-ignore

  for (const file of ['docs/grafana-dashboard.json', 'docs/alert-rules.yml']) {
    for (const used of new Set(all(/\b((?:getbill_connect|process|nodejs)_\w+)/g, read(file)))) {
      const base = used.replace(/_(bucket|sum|count)$/, '');
      if (!types.has(used) && types.get(base) !== 'histogram') faults.push(`${file}: there is no metric ${used}`);
    }
  }
  const explained = firstCells(read('docs/operations.md')).flatMap((cell) => all(/^`(GetbillConnect\w+)`$/g, cell));
  compare("docs/operations.md's alerts", explained, all(/- alert: (\w+)/g, read('docs/alert-rules.yml')));
}

/** What the app answers to: every path that a route or a mount names. */
function checkRoutes(): void {
  const sources = [
    'src/app.ts',
    'src/flow-inspector/routes.ts',
    'src/webhooks/webhooks.ts',
    'src/webhooks/events-page.ts',
    'src/webhooks/room.ts',
    ...readdirSync('src/web/routes').map((name) => join('src/web/routes', name)),
  ];
  const served = sources.flatMap((file) => all(/\.(?:get|post|use|all)\(\s*'(\/[^']*)'/g, read(file)));
  const section = /## Routes([\s\S]*?)\n## /.exec(read('README.md'))?.[1] ?? '';
  const spans = firstCells(section).flatMap((cell) => all(/`(?:[A-Z]+ )?(\/[^`?]*)[^`]*`/g, cell));
  for (const path of spans.map((span) => span.replace(/\/\*$/, ''))) {
    if (!served.includes(path)) faults.push(`README.md's routes: the app does not have ${path}`);
  }
}

/** `title` in [name](../test/file): that file has a test or a group of that title. Every row has a proof, a reason, or says "open". */
function checkTitles(file: string): void {
  const text = read(file);
  for (const [, title = '', target = ''] of text.matchAll(/`([^`]+)` in \[[^\]]+\]\((\.\.\/test\/[^)#]+)\)/g)) {
    const path = join(dirname(file), target);
    const source = existsSync(path) ? read(path).replaceAll("\\'", "'") : '';
    const found = ["'", '"', '`'].some((quote) => source.includes(quote + title + quote));
    if (!found) faults.push(`${file}: ${path} has no test "${title}"`);
  }
  for (const row of text.match(/^\| (?:[A-L]\d\d|\d+) +\|.*$/gm) ?? []) {
    const last = row.split(' | ').at(-1) ?? '';
    if (!/` in \[|^(open|reason|done)\b/i.test(last)) faults.push(`${file}: no test named in "${row.slice(0, 60)}..."`);
  }
}

/** As GitHub makes them from headings. */
function anchorsOf(text: string): string[] {
  const headings = text.replaceAll(/^```[\s\S]*?^```/gm, '').match(/^#+ .+$/gm) ?? [];
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, '')
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  );
}

function checkLinks(file: string): void {
  const text = read(file).replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, ''); // prettier-ignore
  for (const link of all(/\]\(([^)\s]+)\)/g, text)) {
    if (/^[a-z]+:/.test(link)) continue;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? file : join(dirname(file), path);
    if (!existsSync(target)) faults.push(`${file}: the link to ${link} leads nowhere`);
    else if (anchor !== undefined && target.endsWith('.md') && !anchorsOf(read(target)).includes(anchor)) {
      faults.push(`${file}: ${target} has no heading for #${anchor}`);
    }
  }
}

/** Every `npm run x` is a script, and every file or folder that AGENTS.md and llms.txt name is there. */
function checkNames(): void {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const file of [...markdown, 'SECURITY.md', '.github/pull_request_template.md']) {
    for (const name of all(/npm run ([\w:]+)/g, read(file))) {
      if (!Object.hasOwn(scripts, name)) faults.push(`${file}: there is no "npm run ${name}"`);
    }
  }
  for (const path of all(/`((?:src|test|docs|sandbox|\.)[\w./-]*\/?[\w.-]+)`/g, read('AGENTS.md'))) {
    if (!existsSync(path)) faults.push(`AGENTS.md: ${path} does not exist`);
  }
}

function checkGuide(): void {
  const rows = all(/^\| \*\*([^*]+)\*\* /gm, read('docs/from-the-guide.md'));
  compare("docs/from-the-guide.md's headings", rows, guideHeadings);
}

checkEvents();
checkVariables();
checkNames();
checkGuide();
await checkMetrics();
checkRoutes();
for (const file of ['docs/security.md', 'docs/immunity.md', 'docs/why-not-the-sample.md']) checkTitles(file);
checkLinks('llms.txt');
for (const file of markdown) {
  checkLinks(file);
  faults.push(...lineLinkFaults(file, { fix: process.argv.includes('--fix') }));
}

for (const fault of faults) console.error(`- ${fault}`);
if (faults.length > 0) process.exitCode = 1;
