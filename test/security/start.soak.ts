import { hash } from 'node:crypto';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpsServer, type Server } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { variables } from '../../src/config/variables.js';
import { buildApp, type AppBuild } from '../process/support/app-build.js';
import { startRedis } from '../support/redis-server.js';
import { callbackFor } from '../support/sign-in.js';
import { startTestApp } from '../support/test-app.js';

jest.setTimeout(60_000);

type Env = Record<string, string>;

/** Complete for production, but nothing listens at these addresses. */
const sound: Env = {
  NODE_ENV: 'production',
  PORT: '0',
  PUBLIC_URL: 'https://connect.example',
  GETBILL_CLIENT_ID: 'id-of-this-test',
  GETBILL_CLIENT_SECRET: 'CANARY-client-secret',
  SESSION_SECRET: 'CANARY-session-secret-0123456789abcdef',
  TOKEN_ENCRYPTION_KEY: hash('sha256', 'the key of the tests', 'base64'),
  REDIS_URL: 'rediss://:CANARY-redis-password@127.0.0.1:1',
};
const required = [
  'GETBILL_CLIENT_ID',
  'GETBILL_CLIENT_SECRET',
  'SESSION_SECRET',
  'TOKEN_ENCRYPTION_KEY',
];

let build: AppBuild;
beforeAll(() => {
  build = buildApp();
});
afterAll(() => build.remove());

/** A start that is expected to fail, in a process without any other environment. */
async function start(env: Env): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [build.main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: Buffer.concat(chunks).toString() };
}

describe('a start', () => {
  it('[K01] without any environment fails and lists every variable that is missing, how to get it, and the demo', async () => {
    const { code, output } = await start({});
    expect(code).toBe(1);
    expect([...output.matchAll(/^ {2}- (\w+)/gm)].map(([, name]) => name)).toEqual(required);
    for (const name of required) {
      const { hint } = variables[name as keyof typeof variables];
      expect(output).toContain(`${name} is not set; ${hint}`);
    }
    expect(output).toContain('Copy .env.example to .env');
    expect(output).toContain('npm run demo');
    expect(output).not.toMatch(/\n\s+at /);
  });

  it('breaks its lines between words where the terminal would break them anywhere', async () => {
    const terminal = 'process.stderr.isTTY=true;process.stderr.columns=80';
    const NODE_OPTIONS = `--import=data:text/javascript,${terminal}`;
    const { output } = await start({ ...sound, PUBLIC_URL: 'no-url', NODE_OPTIONS });
    expect(output).toContain('://; the origin\n    browsers see, for example');
    for (const line of output.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('[K01] with placeholders or weak values names them all and shows none', async () => {
    const weak = { GETBILL_CLIENT_ID: 'your_client_id_here', GETBILL_CLIENT_SECRET: 'changeme', SESSION_SECRET: 'short-CANARY', TOKEN_ENCRYPTION_KEY: 'CANARY-is-not-a-key' }; // prettier-ignore
    const { code, output } = await start({ ...sound, ...weak });
    expect(code).toBe(1);
    expect([...output.matchAll(/^ {2}- (\w+)/gm)].map(([, name]) => name)).toEqual(required);
    for (const value of [...Object.values(weak), 'CANARY']) expect(output).not.toContain(value);
  });

  it('on a port that is taken says so, and what to change', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const development = Object.fromEntries(
      Object.entries(sound).filter(([name]) => /GETBILL|SECRET|KEY/.test(name)),
    );
    const { code, output } = await start({ ...development, PORT: String(port) });
    taken.close();
    expect([code, output]).toEqual([
      1,
      `GetBill Connect cannot start: port ${port} (PORT) is taken by another program. Set PORT to another one.\n`,
    ]);
  });

  it.each([
    ['192.0.2.1', /192\.0\.2\.1 \(HOST\) is no address of this machine/],
    ['arm64-apple-darwin20.invalid', /HOST names a host that DNS does not know.*unset HOST/],
    ['x86_64-conda-linux-gnu', /HOST is neither an address nor a host name.*unset HOST/],
  ])('at HOST=%s names the variable', async (HOST, line) => {
    const development = Object.fromEntries(
      Object.entries(sound).filter(([name]) => /GETBILL|SECRET|KEY/.test(name)),
    );
    const { code, output } = await start({ ...development, PORT: '0', HOST });
    expect(code).toBe(1);
    expect(output).toMatch(line);
    expect(output).not.toContain('Redis');
  });

  it('without Redis names where it was looked for and the variable, and not the password', async () => {
    const { code, output } = await start(sound);
    expect(code).toBe(1);
    expect(output).toContain(
      'cannot start: nothing listens at rediss://127.0.0.1:1 (REDIS_URL, ECONNREFUSED)',
    );
    expect(output).not.toContain('CANARY');
  });

  it.each(['REDIS_SENTINELS', 'REDIS_CLUSTER_NODES'])(
    'without Redis where %s says names that setting',
    async (name) => {
      const { REDIS_URL: url, ...others } = sound;
      const { code, output } = await start({ ...others, [name]: url ?? '' });
      expect(code).toBe(1);
      expect(output).toContain(
        `cannot start: nothing listens at rediss://127.0.0.1:1 (${name}, ECONNREFUSED)`,
      );
      expect(output).toContain('ECONNREFUSED');
      expect(output).not.toMatch(/REDIS_URL|CANARY/);
    },
  );

  it('[G02] has no password in its output when Redis refuses it', async () => {
    const redis = await startRedis();
    try {
      const { port } = await freePort();
      await redis.client.config('SET', 'requirepass', 'the-right-one');
      await redis.client.config('SET', 'port', String(port));
      const env = { ...sound, REDIS_ALLOW_INSECURE: 'true', REDIS_URL: `redis://CANARY-user:CANARY-wrong-password@127.0.0.1:${port}` }; // prettier-ignore
      const { code, output } = await start(env);
      expect(code).toBe(1);
      expect(output).not.toMatch(/CANARY|the-right-one/);
    } finally {
      await redis.close();
    }
  });
});

describe('a start in production', () => {
  /** All at once, as far as they do not exclude one another. */
  const unsafe: Env[] = [
    {
      PUBLIC_URL: 'http://connect.example',
      GETBILL_REDIRECT_URI: 'http://other.example/oauth/callback',
      TRUST_PROXY: 'true',
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      GETBILL_BASE_URL: 'http://getbill.example',
      GETBILL_TOKEN_URL: 'http://getbill.example/oauth/token',
      FLOW_INSPECTOR: 'true',
      TOUR: 'true',
      REDIS_URL: 'redis://:CANARY-redis-password@redis.example',
    },
    { REDIS_URL: 'rediss://redis.example' },
    { REDIS_URL: '' },
  ];
  let starts: Awaited<ReturnType<typeof start>>[];
  beforeAll(async () => {
    starts = await Promise.all(unsafe.map((faults) => start({ ...sound, ...faults })));
  });

  it.each<[string, number, string]>([
    ['[K03] [B04] fails when the public address is http', 0, 'PUBLIC_URL'],
    ['[K03] fails when the redirect URI is on another origin', 0, 'GETBILL_REDIRECT_URI'],
    ['[K03] [G05] fails when every visitor could choose an address', 0, 'TRUST_PROXY'],
    ['[K03] [B04] fails when certificates are not checked', 0, 'NODE_TLS_REJECT_UNAUTHORIZED'],
    ['[B04] fails when GetBill is called over http', 0, 'GETBILL_BASE_URL'],
    ['[B04] fails when the token endpoint is called over http', 0, 'GETBILL_TOKEN_URL'],
    ['[K03] fails when the flow inspector is on', 0, 'FLOW_INSPECTOR'],
    ['[K03] fails when the tour is on', 0, 'TOUR'],
    ['[B05] fails when Redis has no TLS', 0, 'REDIS_URL'],
    ['[B05] fails when Redis has no password', 1, 'REDIS_URL'],
    ['[C12] fails without Redis', 2, 'REDIS_URL'],
  ])('%s', (_title, index, named) => {
    const { code, output = '' } = starts[index] ?? {};
    expect(code).toBe(1);
    expect([...output.matchAll(/^ {2}- (\w+)/gm)].map(([, name]) => name)).toContain(named);
    expect(output).not.toContain('CANARY');
  });

  it('[K03] names nothing that is sound', () => {
    const named = starts.map(({ output }) =>
      [...output.matchAll(/^ {2}- (\w+)/gm)].map(([, name]) => name).sort(),
    );
    expect(named).toEqual(unsafe.map((faults) => Object.keys(faults).sort()));
  });
});

async function freePort(): Promise<AddressInfo> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return address;
}

describe('GetBill with a certificate that nobody vouches for', () => {
  let folder: string;
  let server: Server;
  let requests: number;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gb-tls-'));
    const file = (name: string): string => join(folder, name);
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', file('key.pem'), '-out', file('cert.pem')], { stdio: 'ignore' }); // prettier-ignore
    requests = 0;
    server = createHttpsServer(
      { key: readFileSync(file('key.pem')), cert: readFileSync(file('cert.pem')) },
      (_req, res) => {
        // prettier-ignore
        requests += 1;
        res.setHeader('content-type', 'application/json');
        res.end(
          JSON.stringify({
            access_token: 'a',
            refresh_token: 'r',
            token_type: 'Bearer',
            expires_in: 3600,
          }),
        );
      },
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const tokenUrl = (): string =>
    `https://localhost:${(server.address() as AddressInfo).port}/oauth/token`;

  it('[B04] gets nothing: sign-in is 502, no request arrives, and an event says why', async () => {
    const app = await startTestApp({ env: { GETBILL_TOKEN_URL: tokenUrl() } });
    try {
      const browser = app.browser();
      const answer = await browser.get(callbackFor(await browser.startLogin(), 'CANARY-code'));
      expect([answer.status, answer.setCookies, requests]).toEqual([502, [], 0]);
      expect(app.events).toContainEqual({ type: 'tls_failed', host: new URL(tokenUrl()).host, reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' }); // prettier-ignore
      expect(app.logged()).toContain('"type":"tls_failed"');
      expect(answer.text).not.toMatch(/SELF_SIGNED|localhost:/);
    } finally {
      await app.close();
    }
  });

  it('[B04] is trusted when its CA is given as a file', async () => {
    const app = await startTestApp({ env: { GETBILL_TOKEN_URL: tokenUrl(), GETBILL_CA_FILE: join(folder, 'cert.pem') } }); // prettier-ignore
    try {
      const browser = app.browser();
      expect((await browser.get(callbackFor(await browser.startLogin()))).status).toBe(303);
      expect(requests).toBe(1);
    } finally {
      await app.close();
    }
  });
});
