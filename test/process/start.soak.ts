import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from '../support/until.js';

/** A project whose compiler and whose app are stand-ins: what is tested is the starter. */
const COMPILER = `require('node:fs').mkdirSync('dist'); require('node:fs').writeFileSync('dist/main.js', process.env.APP);`;
const APP = `
  console.log('pid ' + process.pid);
  process.on('SIGTERM', () => { console.log('stopping'); process.exit(0); });
  setInterval(() => {}, 1000);
`;
const tsx = pathToFileURL(resolve('node_modules/tsx/dist/loader.mjs')).href;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gb-start-'));
  for (const name of ['src/cli', 'scripts', 'node_modules/typescript/bin'])
    mkdirSync(join(folder, name), { recursive: true });
  for (const name of ['scripts/start.ts', 'src/cli/text-file.ts'])
    copyFileSync(name, join(folder, name));
  symlinkSync(resolve('node_modules/tsx'), join(folder, 'node_modules/tsx'));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ type: 'module', scripts: { start: `node --import ${tsx} scripts/start.ts` } }),
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const compiler = (code: string): void =>
  writeFileSync(join(folder, 'node_modules/typescript/bin/tsc'), code);

function start(env: Record<string, string> = {}): {
  status: number | null;
  stderr: string;
  stdout: string;
} {
  return spawnSync(process.execPath, ['--import', tsx, 'scripts/start.ts'], {
    cwd: folder,
    env: { PATH: '/nowhere', APP: 'console.log("started")', ...env }, // no npm and no tsc, as far as a Windows sees them
    encoding: 'utf8',
  });
}

describe('npm start without dist/', () => {
  it('builds without anything on the PATH, and starts', () => {
    compiler(COMPILER);
    expect(start()).toMatchObject({ status: 0, stdout: 'started\n' });
  });

  it.each([
    ['the compiler is not installed', undefined, 'npm ci'],
    ['the compiler finds errors', 'process.exit(2)', 'found errors'],
    ['the compiler is killed', 'process.kill(process.pid, "SIGKILL")', 'SIGKILL'],
  ])('says so when %s', (_name, code, reason) => {
    if (code !== undefined) compiler(code);
    const { status, stderr } = start();
    expect(status).toBe(1);
    expect(stderr).toContain(reason);
  });
});

describe('npm start in a fresh checkout', () => {
  const SET_UP = 'There is no .env: copy .env.example and fill it in, or run: npm run demo\n';
  beforeEach(() => {
    compiler(COMPILER);
    writeFileSync(join(folder, '.env.example'), '');
  });

  it('says in one line what to do, before it builds anything', () => {
    expect(start()).toMatchObject({ status: 1, stdout: '', stderr: SET_UP });
  });

  it.each([{ GETBILL_CLIENT_ID: 'x' }, { SESSION_SECRET_FILE: '/run/secrets/session' }])(
    'starts where the environment comes from elsewhere: %j',
    (env) => expect(start(env)).toMatchObject({ status: 0, stdout: 'started\n' }),
  );

  it('says so in one line where .env is a folder, as Docker makes one of a file that it cannot find', () => {
    mkdirSync(join(folder, '.env'));
    const stderr = '.env is no text file that can be read; correct it, or take it away\n';
    expect(start()).toMatchObject({ status: 1, stdout: '', stderr });
  });

  it('starts with a .env', () => {
    writeFileSync(join(folder, '.env'), '');
    expect(start()).toMatchObject({ status: 0, stdout: 'started\n' });
  });

  it('reads the first line of a .env that an editor of Windows has marked as UTF-8', () => {
    writeFileSync(join(folder, '.env'), '\uFEFFGREETING=hello\n');
    const APP = 'console.log(process.env.GREETING)';
    expect(start({ APP })).toMatchObject({ status: 0, stdout: 'hello\n' });
  });
});

describe('npm start', () => {
  it('hands a SIGTERM on to the app, also when npm alone receives it', async () => {
    compiler(COMPILER);
    const npm = spawn('npm', ['start'], { cwd: folder, env: { ...process.env, APP }, stdio: ['ignore', 'pipe', 'ignore'] }); // prettier-ignore
    let output = '';
    npm.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    try {
      await until('the app runs', () => /pid \d+/.test(output), { withinMs: 30_000 });
      npm.kill('SIGTERM');
      await until('the app stops', () => output.includes('stopping'));
    } finally {
      npm.kill('SIGKILL');
      const pid = Number(/pid (\d+)/.exec(output)?.[1]);
      if (pid > 0 && !output.includes('stopping')) process.kill(pid, 'SIGKILL');
    }
  });
});
