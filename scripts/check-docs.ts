// Whether the documents still say what is so: titles of tests, routes, alerts, links, anchors, and
// symbols in code. The tables of variables, events and metrics are made from code; `--fix` (npm run
// docs) writes them.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { format, type FormatConfig } from 'oxfmt';
import { createMetrics } from '../src/telemetry/metrics.js';
import { hasPage } from '../src/web/pages/pages.js';
import { errorDocuments } from './support/error-docs.js';
import { guideHeadings, guideLists } from './support/guide-headings.js';
import { envExample, eventsTable, metricsTable, variablesTable } from './support/generated-docs.js';
import { symbolLinkFaults } from './support/symbol-links.js';
import { passageFaults } from './support/passages.js';

const read = (file: string): string => readFileSync(file, 'utf8');
const faults: string[] = [];
const all = (pattern: RegExp, text: string): string[] =>
  [...text.matchAll(pattern)].map(([, found = '']) => found);

/** Both lists must hold the same names, each once. */
function compare(what: string, written: readonly string[], real: readonly string[]): void {
  const twice = written.filter((name, index) => written.indexOf(name) !== index);
  for (const name of real.filter((one) => !written.includes(one)))
    faults.push(`${what}: ${name} is missing`);
  for (const name of written.filter((one) => !real.includes(one)))
    faults.push(`${what}: ${name} does not exist`);
  for (const name of twice) faults.push(`${what}: ${name} is there twice`);
}

const markdown = [
  '.',
  'docs',
  'docs/errors',
  'sandbox',
  'deploy',
  'examples',
  'examples/minimal',
  'bench',
]
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).map((name) => normalize(join(folder, name))))
  .filter((file) => file.endsWith('.md'));

/** A table row's first cell. */
const firstCells = (text: string): string[] => all(/^\| ([^|]+?) +\|/gm, text);

const fix = process.argv.includes('--fix');

/**
 * What is made from code stands in the documents as the code makes it; with `--fix` it is written.
 */
async function checkGenerated(): Promise<void> {
  checkFile('.env.example', envExample());
  await checkPart('docs/configuration.md', 'variables', variablesTable());
  await checkPart('docs/events.md', 'events', eventsTable());
  await checkPart('docs/metrics.md', 'metrics', metricsTable());
  await checkErrorDocuments();
}

async function checkPart(file: string, name: string, part: string): Promise<void> {
  const start = `<!-- ${name}: written by npm run docs -->`;
  const [before = '', rest = ''] = read(file).split(start);
  const after = rest.slice(rest.indexOf('<!-- end -->'));
  const text = `${before}${start}\n\n${part.trim()}\n\n${after}`;
  checkFile(file, await formatted(file, text));
}

/**
 * docs/errors holds a document for each error code and nothing else, and every code of the source
 * has one.
 */
async function checkErrorDocuments(): Promise<void> {
  const folder = 'docs/errors';
  if (fix) mkdirSync(folder, { recursive: true });
  const documents = errorDocuments();
  for (const [name, text] of documents) {
    const file = join(folder, name);
    checkFile(file, await formatted(file, text));
  }
  for (const name of readdirSync(folder).filter((one) => !documents.has(one))) {
    if (fix) rmSync(join(folder, name));
    else faults.push(`${folder}/${name} is of no error code: npm run docs`);
  }
  for (const [code, file] of codesInSource()) {
    if (!documents.has(`${code}.md`))
      faults.push(`${file}: the error code ${code} is not in src/error-facts.ts`);
  }
}

/**
 * The error codes that a response of the app can have, and where they are; those of the command
 * line have no page.
 */
function codesInSource(): [code: string, file: string][] {
  const folders = ['core', 'getbill', 'web', 'webhooks', 'explorer', 'flow-inspector'];
  const files = folders
    .filter((folder) => existsSync(`src/${folder}`))
    .flatMap((folder) => sourcesIn(`src/${folder}`))
    .filter((file) => !/commands|trigger|pagination/.test(file));
  return files.flatMap((file) =>
    all(/(?:\bcode: |unusable\()'([a-z_]+)'/g, read(file)).map((code): [string, string] => [
      code,
      file,
    ]),
  );
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

async function formatted(file: string, text: string): Promise<string> {
  type Style = Required<Pick<FormatConfig, 'singleQuote' | 'printWidth'>>;
  const { singleQuote, printWidth } = JSON.parse(read('.oxfmtrc.json')) as Style;
  return (await format(file, text, { singleQuote, printWidth })).code;
}

function checkFile(file: string, text: string): void {
  if (existsSync(file) && read(file) === text) return;
  if (fix) writeFileSync(file, text);
  else faults.push(`${file} is not what the code says: npm run docs`);
}

/** Dashboard and alerts use no metric that is not there, and every alert is explained. */
async function checkMetrics(): Promise<void> {
  const { body } = await createMetrics({ now: Date.now }).text();
  const types = new Map(
    [...body.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
  for (const file of ['docs/grafana-dashboard.json', 'docs/alert-rules.yml']) {
    for (const used of new Set(all(/\b((?:getbill_connect|process|nodejs)_\w+)/g, read(file)))) {
      const base = used.replace(/_(bucket|sum|count)$/, '');
      if (!types.has(used) && types.get(base) !== 'histogram')
        faults.push(`${file}: there is no metric ${used}`);
    }
  }
  const explained = firstCells(read('docs/operations.md')).flatMap((cell) =>
    all(/^`(GetbillConnect\w+)`$/g, cell),
  );
  compare(
    "docs/operations.md's alerts",
    explained,
    all(/- alert: (\w+)/g, read('docs/alert-rules.yml')),
  );
}

/** What the app answers to: every path that a route or a mount names. */
function checkRoutes(): void {
  const sources = [
    'src/app.ts',
    'src/flow-inspector/routes.ts',
    'src/tour/routes.ts',
    'src/explorer/explorer.ts',
    'src/webhooks/webhooks.ts',
    'src/webhooks/events-page.ts',
    'src/webhooks/mount-webhooks.ts',
    ...readdirSync('src/web/routes').map((name) => join('src/web/routes', name)),
  ];
  const served = sources.flatMap((file) =>
    all(/\.(?:get|post|use|all)\(\s*'(\/[^']*)'/g, read(file)),
  );
  const spans = firstCells(read('docs/routes.md')).flatMap((cell) =>
    all(/`(?:[A-Z]+ )?(\/[^`?]*)[^`]*`/g, cell),
  );
  for (const path of spans.map((span) => span.replace(/\/\*$/, ''))) {
    if (!served.includes(path)) faults.push(`docs/routes.md: the app does not have ${path}`);
  }
}

/**
 * `title` in [name](../test/file): that file has a test or a group of that title. Every row has a
 * proof, a reason, or says "open".
 */
function checkTitles(file: string): void {
  const text = read(file);
  for (const [, title = '', target = ''] of text.matchAll(
    /`([^`]+)` in \[[^\]]+\]\((\.\.\/test\/[^)#]+)\)/g,
  )) {
    const path = join(dirname(file), target);
    const source = existsSync(path) ? read(path).replaceAll("\\'", "'") : '';
    const found = ["'", '"', '`'].some((quote) => source.includes(quote + title + quote));
    if (!found) faults.push(`${file}: ${path} has no test "${title}"`);
  }
  for (const row of text.match(/^\| (?:[A-L]\d\d|\d+) +\|.*$/gm) ?? []) {
    const last = row.split(' | ').at(-1) ?? '';
    if (!/` in \[|^(open|reason|done)\b/i.test(last))
      faults.push(`${file}: no test named in "${row.slice(0, 60)}..."`);
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
    else if (
      anchor !== undefined &&
      target.endsWith('.md') &&
      !anchorsOf(read(target)).includes(anchor)
    ) {
      faults.push(`${file}: ${target} has no heading for #${anchor}`);
    }
  }
}

/**
 * Every page of the demo that a document names is there; the app of docs/core.md has pages of its
 * own.
 */
function checkPages(file: string): void {
  if (file === 'docs/core.md') return;
  for (const path of all(/<http:\/\/localhost:3000(\/[\w-]+)>/g, read(file)))
    if (!hasPage(path)) faults.push(`${file}: the app has no page ${path}`);
}

/**
 * Every `npm run x` is a script, and every file or folder that AGENTS.md and llms.txt name is
 * there.
 */
function checkNames(): void {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const file of [...markdown, 'SECURITY.md', '.github/pull_request_template.md']) {
    for (const name of all(/npm run ([\w:]+)/g, read(file))) {
      if (!Object.hasOwn(scripts, name)) faults.push(`${file}: there is no "npm run ${name}"`);
    }
  }
  for (const path of all(
    /`((?:src|test|docs|sandbox|\.)[\w./-]*\/?[\w.-]+)`/g,
    read('AGENTS.md'),
  )) {
    if (!existsSync(path)) faults.push(`AGENTS.md: ${path} does not exist`);
  }
}

function checkGuide(): void {
  const page = read('docs/from-the-guide.md');
  const rows = all(/^\| \*\*([^*]+)\*\* /gm, page);
  compare("docs/from-the-guide.md's headings", rows, guideHeadings);
  const [, sentences = ''] = /^## Sentence by sentence$([^]*?)^## /m.exec(page) ?? [];
  for (const [heading, count] of Object.entries(guideLists)) {
    const found = firstCells(sentences).filter((cell) => cell === heading).length;
    if (found !== count)
      faults.push(`docs/from-the-guide.md: ${found} of ${count} rows for the list of "${heading}"`);
  }
}

/** The formatter leaves comments as they are. */
function checkComments(): void {
  for (const file of ['src', 'sandbox', 'scripts'].flatMap((folder) => sourcesIn(folder)))
    for (const line of all(/^( *(?:\/\/|\/?\*).*)$/gm, read(file)).filter(
      ({ length }) => length > 100,
    ))
      faults.push(`${file}: a comment is longer than 100 characters: ${line.trim()}`);
}

await checkGenerated();
checkComments();
checkNames();
checkGuide();
await checkMetrics();
checkRoutes();
for (const file of ['docs/security.md', 'docs/immunity.md', 'docs/why-not-the-sample.md'])
  checkTitles(file);
faults.push(...passageFaults('docs/walkthrough.md'));
checkLinks('llms.txt');
for (const file of markdown) {
  checkLinks(file);
  checkPages(file);
  faults.push(...symbolLinkFaults(file));
}

for (const fault of faults) console.error(`- ${fault}`);
if (faults.length > 0) process.exitCode = 1;
