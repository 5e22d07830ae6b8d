// `npm test`: everything that must hold before a change lands: types, lint, format, layers, dead
// code, then Jest.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';

const bin = (name: string): string => join('node_modules', '.bin', name);
const run = (command: string, args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'inherit' }).status === 0;
const has = (command: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

/** What the suites run against, and how a test file that needs it can be told. */
const tools = [
  {
    command: 'redis-server',
    apt: 'redis-server',
    usedBy: /startRedis|startNode|startSingle|startSentinel/,
  },
  { command: 'promtool', apt: 'prometheus', usedBy: /promtool/ },
  { command: 'nginx', apt: 'nginx', usedBy: /startNginx/ },
  { command: 'apache2', apt: 'apache2-bin', usedBy: /startApache/ },
  { command: 'haproxy', apt: 'haproxy', usedBy: /startHaproxy/ },
  { command: 'caddy', apt: 'caddy', usedBy: /startCaddy/ },
  { command: '/usr/bin/chromium', apt: 'chromium', usedBy: /\bchromium\b/ },
];

function missingTools(): typeof tools {
  const missing = tools.filter(({ command }) => !has(command));
  if (missing.length === 0) return [];
  const packages = missing.map(({ apt }) => apt);
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    console.log(`installing what the tests run against: ${packages.join(', ')}`);
    run('apt-get', ['update', '-qq']);
    // One by one: apt-get installs none of a list in which it does not know one (Ubuntu has no
    // chromium).
    for (const name of packages)
      run('sh', ['-c', `DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${name} >/dev/null`]); // prettier-ignore
  }
  return missing.filter(({ command }) => !has(command));
}

function testFilesUsing(pattern: RegExp): string[] {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', name))
    .filter((file) => pattern.test(readFileSync(file, 'utf8')));
}

const checks: [string, string, string[]][] = [
  ['types and lint', 'oxlint', []],
  ['format', 'oxfmt', ['--check']],
  [
    'layers',
    'depcruise',
    ['--config', '.dependency-cruiser.cjs', 'src', 'sandbox', 'scripts', 'test'],
  ],
  ['dead code', 'knip', []],
  ['documents', 'tsx', ['scripts/check-docs.ts']],
];

/** Jest, beside the checks: it keeps every core busy to the end. */
function test(args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [bin('jest'), ...args], { stdio: 'inherit' });
    child.on('close', (code) => resolve(code === 0 ? undefined : 'tests'));
  });
}

/** One after the other: all at once beside Jest they only take each other's processor caches. */
async function checkAll(): Promise<(string | undefined)[]> {
  const results = [];
  for (const each of checks) results.push(await check(each));
  return results;
}

/** One check, its output kept together. */
function check([name, command, args]: (typeof checks)[number]): Promise<string | undefined> {
  return new Promise((resolve) => {
    // a tenth less processor time
    const options = `${process.env['NODE_OPTIONS'] ?? ''} --max-semi-space-size=128`;
    const env = { ...process.env, NODE_OPTIONS: options };
    const child = spawn(bin(command), args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('close', (code) => {
      console.log(`- ${name}: ${code === 0 ? 'ok' : `\n${Buffer.concat(output).toString()}`}`);
      resolve(code === 0 ? undefined : name);
    });
  });
}

const missing = missingTools();
const skipped = missing.flatMap(({ command, apt, usedBy }) => {
  console.error(`\n*** ${command} is not installed (Debian: apt-get install ${apt}). ***`);
  return testFilesUsing(usedBy);
});
if (skipped.length > 0)
  console.error(`*** SKIPPED, not proven here: ***\n    ${skipped.join('\n    ')}\n`);

const ignore = skipped.flatMap((file) => ['--testPathIgnorePatterns', file]);
const [failedChecks, failedTests] = await Promise.all([
  checkAll(),
  test([...ignore, ...process.argv.slice(2)]),
]);
const failed = [...failedChecks, failedTests].filter((name) => name !== undefined);
if (missing.length > 0 && process.env['CI'] === 'true') failed.push('tools');

if (failed.length > 0) console.error(`\nfailed: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
