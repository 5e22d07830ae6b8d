import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp, type AppBuild } from '../process/support/app-build.js';

type Env = Record<string, string>;

const SESSION_SECRET = 'CANARY-session-secret-0123456789abcdef';
const TOKEN_ENCRYPTION_KEY = hash('sha256', 'the key of the tests', 'base64');
const development: Env = {
  PORT: '0',
  GETBILL_CLIENT_ID: 'id-of-this-test',
  GETBILL_CLIENT_SECRET: 'CANARY-client-secret',
  SESSION_SECRET,
  TOKEN_ENCRYPTION_KEY,
};
const production: Env = {
  ...development,
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://connect.example',
  REDIS_URL: 'rediss://:CANARY-redis-password@127.0.0.1:1',
};

let build: AppBuild;
let folder: string;
beforeAll(() => {
  build = buildApp();
  folder = mkdtempSync(join(tmpdir(), 'gb-start-'));
});
afterAll(() => {
  build.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** In a folder of its own; ends by itself, or when it says that it listens. */
async function start(env: Env, preload = ''): Promise<{ code: number | null; output: string }> {
  const args = ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, build.main];
  const child = spawn(process.execPath, args, {
    env,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('"msg":"listening"')) child.kill('SIGTERM');
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

it('a CA file that is missing, or is none, stops the start by name', async () => {
  writeFileSync(join(folder, 'no-certificate.pem'), 'CANARY');
  const files = {
    GETBILL_CA_FILE: join(folder, 'missing.pem'),
    REDIS_CA_FILE: join(folder, 'no-certificate.pem'),
  };
  const { code, output } = await start({ ...production, ...files });
  expect(code).toBe(1);
  expect(output).toContain('GETBILL_CA_FILE names a file that cannot be read: there is none');
  expect(output).toContain('REDIS_CA_FILE names a file that is no readable PEM certificate');
  expect(output).not.toMatch(/CANARY|\n\s+at /);
});

it("production refuses the demo's secrets by name; development takes them", async () => {
  mkdirSync(join(folder, '.demo'), { recursive: true });
  const secrets = { GETBILL_CLIENT_SECRET: 'x', SESSION_SECRET, TOKEN_ENCRYPTION_KEY };
  writeFileSync(join(folder, '.demo/secrets.json'), JSON.stringify(secrets));
  const refused = await start(production);
  const taken = await start(development);
  rmSync(join(folder, '.demo'), { recursive: true });
  const another = await start(production);

  expect(refused.code).toBe(1);
  for (const name of ['SESSION_SECRET', 'TOKEN_ENCRYPTION_KEY']) {
    expect(refused.output).toContain(`${name} is the one of the demo (.demo/secrets.json)`);
  }
  expect(refused.output).not.toContain('CANARY');
  expect(taken.output).toContain('"msg":"listening"');
  expect(another.output).not.toContain('of the demo'); // and ends, for there is no Redis
});

it('a port that needs a permission which is missing is named, with what to do', async () => {
  const noPermission = `
    import net from 'node:net';
    net.Server.prototype.listen = function (port, address) {
      const error = new Error('listen EACCES: permission denied');
      process.nextTick(() => this.emit('error', Object.assign(error, { code: 'EACCES', syscall: 'listen', port, address })));
      return this;
    };`;
  const { code, output } = await start({ ...development, PORT: '81' }, noPermission);
  expect([code, output]).toEqual([
    1,
    'GetBill Connect cannot start: no permission to listen on port 81 (PORT). Set PORT above 1023.\n',
  ]);
});

it('values that were probably changed on their way are warned of once, by name and never by value', async () => {
  writeFileSync(join(folder, '.env'), 'REDIS_PREFIX=team#1:\n');
  const env = {
    ...development,
    GETBILL_CLIENT_SECRET: '"CANARY-client-secret"',
    REDIS_PREFIX: 'team',
  };
  const { output } = await start(env);
  rmSync(join(folder, '.env'));
  const warnings = output
    .split('\n')
    .filter((line) => line.includes('suspicious value'))
    .map((line) => JSON.parse(line) as { level: number; name: string; seen: string });
  expect(warnings.map(({ name, seen }) => `${name} ${seen}`)).toEqual([
    expect.stringMatching(/^GETBILL_CLIENT_SECRET begins and ends with a quote/) as string,
    'REDIS_PREFIX is cut at a # in .env, which begins a comment there',
  ]);
  expect(warnings.map(({ level }) => level)).toEqual([40, 40]);
  expect(output).not.toContain('CANARY');
  expect((await start(development)).output).not.toContain('suspicious value');
});
