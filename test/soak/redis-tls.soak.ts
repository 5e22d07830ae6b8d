/// <reference types="jest" />
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { Redis } from 'ioredis';
import { parseConfig } from '../../src/config/config.js';
import { secret } from '../../src/secret.js';
import { connectStorage } from '../../src/redis/connect.js';
import { createRedis } from '../../src/redis/client.js';
import { until } from '../support/until.js';
import { freePort } from '../support/free-port.js';
import { SESSION_SECRET, TOKEN_ENCRYPTION_KEY } from '../support/test-app.js';
import { createAuthority, type Authority } from '../security/support/certificates.js';

jest.setTimeout(30_000);

const PASSWORD = 'CANARY redis/password';

let authority: Authority;
let folder: string;
let server: ChildProcess;
let port: number;

beforeAll(async () => {
  authority = createAuthority();
  folder = mkdtempSync(join(tmpdir(), 'gb-redis-tls-'));
  const { key, cert } = authority.issue();
  writeFileSync(join(folder, 'key.pem'), key);
  writeFileSync(join(folder, 'cert.pem'), cert);
  port = await freePort();
  const tls = ['--tls-port', String(port), '--tls-key-file', 'key.pem', '--tls-cert-file', 'cert.pem', '--tls-auth-clients', 'no', '--tls-ca-cert-file', authority.caFile]; // prettier-ignore
  server = spawn('redis-server', ['--port', '0', ...tls, '--requirepass', PASSWORD, '--save', ''], { cwd: folder, stdio: 'ignore' }); // prettier-ignore
  await until('Redis listens', async () => (await connect(authority.caFile)) === 'connected');
});
afterAll(async () => {
  server.kill('SIGKILL');
  await once(server, 'exit');
  authority.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** A command carried out, or the code of what failed. */
async function connect(
  caFile: string | undefined,
  { host = 'localhost', password = PASSWORD } = {},
): Promise<string> {
  const url = new URL(`rediss://:${encodeURIComponent(password)}@${host}:${port}`);
  const redis = createRedis({
    topology: 'single',
    urls: secret([url] as const),
    sentinelName: '',
    caFile,
  });
  const failed = new Promise<string>((resolve) => {
    redis.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
  });
  try {
    const connected = redis.connect().then(async () => {
      await redis.ping();
      return 'connected';
    });
    return await Promise.race([connected, failed]);
  } catch (error) {
    return await Promise.race([failed, Promise.resolve((error as Error).message)]);
  } finally {
    redis.disconnect();
  }
}

describe('Redis over TLS with a password', () => {
  it('[B05] is used when its private authority is given as a file', async () => {
    expect(await connect(authority.caFile)).toBe('connected');
  });

  it('[B05] is not trusted without that file', async () => {
    expect(await connect(undefined)).toMatch(
      /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
    );
  });

  it('[B05] is not trusted under another name than its certificate has', async () => {
    expect(await connect(authority.caFile, { host: '127.0.0.1' })).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
  });

  it('[B05] does nothing without the right password', async () => {
    expect(await connect(authority.caFile, { password: 'wrong' })).toMatch(/WRONGPASS/);
  });
});

describe('a handshake that Redis refuses', () => {
  it.each([
    ['a certificate of its clients', ['--tls-auth-clients', 'yes']],
    ['that, with TLS 1.2', ['--tls-auth-clients', 'yes', '--tls-protocols', 'TLSv1.2']],
    ['an old version', ['--tls-auth-clients', 'no', '--tls-protocols', 'TLSv1.1']],
    ['an old cipher', ['--tls-auth-clients', 'no', '--tls-protocols', 'TLSv1.2', '--tls-ciphers', 'AES128-SHA']], // prettier-ignore
  ])('is explained in one line: it wants %s', async (_what, wanted) => {
    const own = await freePort();
    const tls = ['--tls-port', String(own), '--tls-key-file', 'key.pem', '--tls-cert-file', 'cert.pem', '--tls-ca-cert-file', authority.caFile]; // prettier-ignore
    const child = spawn('redis-server', ['--port', '0', '--save', '', ...tls, ...wanted], { cwd: folder, stdio: 'ignore' }); // prettier-ignore
    const { redis } = parseConfig({
      GETBILL_CLIENT_ID: 'client',
      GETBILL_CLIENT_SECRET: 'client-secret',
      SESSION_SECRET,
      TOKEN_ENCRYPTION_KEY,
      REDIS_CA_FILE: authority.caFile,
      REDIS_URL: `rediss://localhost:${own}`,
    });
    let said = '';
    const nothing = (): void => undefined;
    await until('Redis listens', async () => {
      const storage = connectStorage(redis, { emit: nothing, now: Date.now, onError: nothing });
      said = await storage.then(String, (error: unknown) => String(error));
      return !said.includes('ECONNREFUSED');
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(said).toContain('tls-auth-clients');
    expect(said).not.toMatch(/\n|openssl/);
  });
});

describe('a certificate that holds names only', () => {
  /** Redis and Sentinels name each other by address, as they do unless they are told otherwise. */
  async function startTls(
    settings: (port: number) => string[],
  ): Promise<{ port: number; close(): Promise<void> }> {
    const own = await freePort();
    const lines = [
      `tls-port ${own}`,
      `tls-key-file ${join(folder, 'key.pem')}`,
      `tls-cert-file ${join(folder, 'cert.pem')}`,
      `tls-ca-cert-file ${authority.caFile}`,
      'tls-auth-clients no',
      'tls-replication yes',
      `dir ${folder}`,
      'save ""',
      'port 0',
      ...settings(own),
    ];
    const file = join(folder, `${own}.conf`);
    writeFileSync(file, lines.join('\n'));
    const isSentinel = lines.some((line) => line.startsWith('sentinel '));
    const child = spawn('redis-server', [file, ...(isSentinel ? ['--sentinel'] : [])], {
      stdio: 'ignore',
    });
    await until('it listens', () =>
      problemOf({ REDIS_URL: `rediss://localhost:${own}` }).then((text) => text === ''),
    );
    return {
      port: own,
      async close() {
        child.kill('SIGKILL');
        await once(child, 'exit');
      },
    };
  }

  /** Empty when the app would start, and could sign somebody in. */
  async function problemOf(env: Record<string, string>): Promise<string> {
    const config = parseConfig({
      GETBILL_CLIENT_ID: 'client',
      GETBILL_CLIENT_SECRET: 'client-secret',
      SESSION_SECRET,
      TOKEN_ENCRYPTION_KEY,
      REDIS_CA_FILE: authority.caFile,
      ...env,
    });
    const events = { emit: () => undefined, now: Date.now, onError: () => undefined };
    try {
      const keyValue = await connectStorage(config.redis, events);
      if (env['REDIS_URL'] === undefined) await keyValue.ping();
      await keyValue.close();
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  }

  it.each([
    ['addresses', []],
    ['names', ['cluster-announce-hostname localhost', 'cluster-preferred-endpoint-type hostname']],
  ])('[B05] is enough for a Cluster that announces %s', async (_what, announced) => {
    const bus = await freePort();
    const cluster = await startTls(() => ['cluster-enabled yes', 'tls-cluster yes', `cluster-port ${bus}`, `cluster-config-file nodes-${bus}.conf`, 'cluster-announce-ip 127.0.0.1', ...announced]); // prettier-ignore
    try {
      const admin = new Redis({
        port: cluster.port,
        host: 'localhost',
        tls: { ca: readFileSync(authority.caFile) },
      });
      await admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
      await until('it serves', async () =>
        (await admin.cluster('INFO')).includes('cluster_state:ok'),
      );
      admin.disconnect();
      const nodes = `rediss://localhost:${cluster.port}`;
      expect(await problemOf({ REDIS_CLUSTER_NODES: nodes })).toBe('');
      const byAddress = await problemOf({
        REDIS_CLUSTER_NODES: nodes.replace('localhost', '127.0.0.1'),
      });
      expect(byAddress).toContain('REDIS_CLUSTER_NODES');
      expect(byAddress).toMatch(/certificate|altname/i);
    } finally {
      await cluster.close();
    }
  });

  it.each(['REDIS_URL', 'REDIS_CLUSTER_NODES'])(
    '[B05] is asked for by its name: what is in front may have others (%s)',
    async (variable) => {
      const names: unknown[] = [];
      const [key, cert] = ['key.pem', 'cert.pem'].map((name) => readFileSync(join(folder, name)));
      const front = createServer({ key, cert }, (socket) => {
        names.push(socket.servername);
        socket.destroy();
      });
      await once(front.listen(0, '127.0.0.1'), 'listening');
      const { port: frontPort } = front.address() as AddressInfo;
      expect(await problemOf({ [variable]: `rediss://localhost:${frontPort}` })).not.toBe('');
      front.close();
      expect([...new Set(names)]).toEqual(['localhost']);
    },
  );

  it('[B05] is enough for Sentinels that announce addresses', async () => {
    const master = await startTls(() => []);
    const sentinel = await startTls(() => [`sentinel monitor mymaster 127.0.0.1 ${master.port} 1`]);
    try {
      const sentinels = `rediss://localhost:${sentinel.port}`;
      expect(await problemOf({ REDIS_SENTINELS: sentinels })).toBe('');
      const byAddress = await problemOf({
        REDIS_SENTINELS: sentinels.replace('localhost', '127.0.0.1'),
      });
      expect(byAddress).toContain('REDIS_SENTINELS');
      expect(byAddress).toMatch(/certificate|altname/i);
    } finally {
      await sentinel.close();
      await master.close();
    }
  });
});
