import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { until } from '../support/until.js';
import { createBrowser } from '../support/browser.js';
import { freePort } from '../support/free-port.js';

const started: ChildProcess[] = [];
afterEach(() => started.splice(0).forEach((child) => child.kill('SIGTERM')));

const isAlive = (pid: number): boolean => spawnSync('kill', ['-0', String(pid)]).status === 0;

it('a running demo serves doctor and command line without .env; at its end the child that does not end is killed', async () => {
  const [port, sandboxPort] = [await freePort(), await freePort()];
  const environment = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
  const demo = spawn(process.execPath, ['--import', 'tsx', 'scripts/demo.ts'], {
    env: { ...environment, PORT: String(port), SANDBOX_PORT: String(sandboxPort) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  demo.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until('the demo has started', () => said.includes('Ctrl-C stops both'), {
    withinMs: 60_000,
  });
  expect(existsSync('.demo/running.json')).toBe(true);

  for (const [script, ...args] of [['doctor'], ['getbill', 'company', 'profile']]) {
    const run = spawnSync(process.execPath, ['--import', 'tsx', `src/cli/${script}.ts`, ...args], {
      env: { ...environment, http_proxy: 'http://127.0.0.1:1' }, // of the network; it does not lead back here
      encoding: 'utf8',
    });
    expect(run.stderr).toContain(`using the demo's sandbox at http://localhost:${sandboxPort}`);
    expect(run.stdout).not.toContain('npm start'); // it would not find the client of the demo
    expect(`${run.stdout} ${run.status}`).toMatch(/ 0$/);
  }

  // By name: tsx may have a compiler of its own under way.
  const named = ['-P', String(demo.pid), '-f', 'main.ts'];
  const children = execFileSync('pgrep', named, { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);
  expect(children).toHaveLength(2);
  const [stuck = 0] = children;
  process.kill(stuck, 'SIGSTOP');
  demo.kill('SIGTERM');
  await once(demo, 'exit');
  expect(children.filter(isAlive)).toEqual([]);
  expect(existsSync('.demo/running.json')).toBe(false);
});

it.each<[string, (demo: ChildProcess) => void]>([
  ['its terminal is closed', (demo) => demo.kill('SIGHUP')],
  ['the reader of its output has gone', (demo) => demo.stdout?.destroy()],
])(
  'the demo and its processes end when %s',
  async (_when, leave) => {
    const [port, sandboxPort] = [await freePort(), await freePort()];
    const { PATH = '', HOME = '' } = process.env;
    const demo = spawn(process.execPath, ['--import', 'tsx', 'scripts/demo.ts'], {
      env: { PATH, HOME, PORT: String(port), SANDBOX_PORT: String(sandboxPort) },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    started.push(demo);
    let said = '';
    demo.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await until('the demo has started', () => said.includes('Ctrl-C stops both'), {
      withinMs: 60_000,
    });
    const children = execFileSync('pgrep', ['-P', String(demo.pid)], { encoding: 'utf8' });
    const pids = children.trim().split('\n').map(Number);
    const ended = once(demo, 'exit');
    leave(demo);
    await fetch(`http://localhost:${port}/login`, { redirect: 'manual' }).catch(() => undefined); // a line to tell
    await ended;
    try {
      expect(pids.filter(isAlive)).toEqual([]);
      expect(existsSync('.demo/running.json')).toBe(false);
    } finally {
      for (const pid of pids.filter(isAlive)) process.kill(pid);
    }
  },
  90_000,
);

it('at a terminal the demo tells each event in words and obeys its keys; all of the log is in a file', async () => {
  const [port, sandboxPort] = [await freePort(), await freePort()];
  const command = `${process.execPath} --import tsx scripts/demo.ts`;
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, TERM: 'xterm', PORT: String(port), SANDBOX_PORT: String(sandboxPort) };
  const demo = spawn('script', ['-qfec', command, '/dev/null'], { env }); // a terminal of its own
  started.push(demo);
  let said = '';
  demo.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const told = (text: RegExp | string, from = 0) =>
    until(`"${String(text)}" is told`, () => said.slice(from).search(text) >= 0, {
      withinMs: 60_000,
    });
  await told('q quit');
  const origin = `http://localhost:${port}`;
  const browser = createBrowser({ origin, publicUrl: origin });
  await browser.signIn();
  await browser.get('/dashboard');
  await told(/signed in/);
  await told(/GET \/dashboard +.*200.* calls to GetBill/);

  demo.stdin.write('e');
  await told('All access tokens have expired');
  expect((await browser.get('/dashboard')).status).toBe(200);
  await told(/401.*renewed \(\d+ ms\).*sent again.*200/);

  demo.stdin.write('r');
  await told('All permissions are revoked');
  await browser.get('/debts');
  await told(/session ended +.*GetBill ended the permission/);

  const before = said.length;
  demo.stdin.write('?');
  await told('Things to try', before);
  expect(said).not.toMatch(/\{"|\n\s+at /); // neither JSON nor a stack
  const log = readFileSync('.demo/app.log', 'utf8');
  const types = log.split('\n').flatMap((line) => /"type":"(\w+)"/.exec(line)?.[1] ?? []);
  for (const type of ['login_completed', 'token_refreshed', 'api_called', 'session_ended'])
    expect(types).toContain(type);

  demo.stdin.write('q');
  const [code] = (await once(demo, 'exit')) as [number | null];
  expect(code).toBe(0);
}, 90_000);
