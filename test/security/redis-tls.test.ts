/// <reference types="jest" />
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secret } from '../../src/secret.js';
import { createRedis } from '../../src/core/storage/redis.js';
import { until } from '../process/support/until.js';
import { freePort } from '../support/free-port.js';
import { createAuthority, type Authority } from './support/certificates.js';

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
async function connect(caFile: string | undefined, { host = 'localhost', password = PASSWORD } = {}): Promise<string> {
  const url = new URL(`rediss://:${encodeURIComponent(password)}@${host}:${port}`);
  const redis = createRedis({ topology: 'single', urls: secret([url] as const), sentinelName: '', caFile });
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
    expect(await connect(undefined)).toMatch(/SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
  });

  it('[B05] is not trusted under another name than its certificate has', async () => {
    expect(await connect(authority.caFile, { host: '127.0.0.1' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('[B05] does nothing without the right password', async () => {
    expect(await connect(authority.caFile, { password: 'wrong' })).toMatch(/WRONGPASS/);
  });
});
