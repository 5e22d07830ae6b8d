import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import type { Finding } from '../../src/cli/doctor/check.js';
import { createAuthority, type Authority } from '../security/support/certificates.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { runDoctor, healthy, type DoctorRun, type Env } from '../cli/support/run-doctor.js';
import { startTlsProxy, type ProxySettings, type TlsProxy } from '../cli/support/tls-proxy.js';

let authority: Authority;
let redis: RedisServer;
let sandbox: Sandbox;
let proxy: TlsProxy;
let app: TestApp;
beforeAll(async () => {
  authority = createAuthority();
  [redis, proxy] = await Promise.all([startRedis(), startTlsProxy(authority.issue())]);
  sandbox = await startSandbox({ redirectUris: [`${proxy.origin}/oauth/callback`] });
  app = await startTestApp({ https: true, env: environment(), sandbox });
});
beforeEach(() => {
  proxy.repair();
  proxy.leadTo(app.origin);
});
afterAll(async () => {
  proxy.close();
  await app.close();
  await Promise.all([sandbox.close(), redis.close()]);
  authority.remove();
});

const environment = (): Env => ({ PUBLIC_URL: proxy.origin, TRUST_PROXY: '1', REDIS_URL: redis.url, REDIS_ALLOW_INSECURE: 'true' }); // prettier-ignore
const doctorsEnvironment = (): Env => ({ ...healthy(sandbox), ...environment() });

const look = (): Promise<DoctorRun> =>
  runDoctor(doctorsEnvironment(), { url: new URL(proxy.origin), urlCaFile: authority.caFile });

/** The real command, as a person runs it. */
async function command(args: string[], env: Env): Promise<{ code: number | null; output: string }> {
  const options = {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'] as const,
  };
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/doctor.ts', ...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] }); // prettier-ignore
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: Buffer.concat(chunks).toString() };
}

const faults: [string, Partial<ProxySettings>, { line: string; cause: RegExp; fix: RegExp }][] = [
  [
    'missing X-Forwarded-Proto',
    { proto: 'missing' },
    {
      line: 'TRUST_PROXY',
      cause: /X-Forwarded-Proto is missing/,
      fix: /proxy_set_header X-Forwarded-Proto \$scheme.*\$http_x_forwarded_proto/,
    },
  ],
  [
    'X-Forwarded-Proto as the visitor sends it',
    { proto: 'from the visitor' },
    {
      line: 'TRUST_PROXY',
      cause: /passes on the X-Forwarded-Proto that a visitor sends/,
      fix: /replaces the visitor's/,
    },
  ],
  [
    'another Host',
    { host: 'changed' },
    {
      line: 'cookie round trip',
      cause: /the proxy changes Host/,
      fix: /proxy_set_header Host \$http_host/,
    },
  ],
  [
    'no cookie on its way to the browser',
    { setCookies: 'dropped' },
    {
      line: 'cookie round trip',
      cause: /the cookie of \/login does not arrive/,
      fix: /pass Set-Cookie as it is/,
    },
  ],
  [
    'a cookie no browser would take',
    { setCookies: 'with a domain' },
    {
      line: 'cookie round trip',
      cause: /the cookie of \/login arrives changed/,
      fix: /pass Set-Cookie as it is/,
    },
  ],
  [
    'no cookie on its way back',
    { cookies: false },
    {
      line: 'cookie round trip',
      cause: /does not come back to the app/,
      fix: /pass the Cookie header/,
    },
  ],
];

describe('the doctor, of a deployment behind its proxy', () => {
  it('passes a sound one in every line, signs nobody in and leaves no sign-in behind', async () => {
    const { findings, line } = await look();
    expect(findings.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
    expect(line('cookie round trip')?.detail).toBe(
      'our cookie comes back, and its sign-in is found',
    );
    const keys = await redis.client.keys('*');
    expect(keys.filter((key) => !key.startsWith('rate:'))).toEqual([]);
  });

  it.each(faults)(
    'names the cause and a fix that works: %s',
    async (_name, settings, { line, cause, fix }) => {
      Object.assign(proxy.settings, settings);
      const found = (await look()).line(line);
      expect(found?.verdict).not.toBe('pass');
      expect(found?.cause).toMatch(cause);
      expect(found?.fix).toMatch(fix);
      proxy.repair();
      expect((await look()).line(line)?.verdict).toBe('pass');
    },
  );

  it('names an app that does not trust its proxy; with TRUST_PROXY the line passes', async () => {
    const distrustful = await startTestApp({
      https: true,
      env: { ...environment(), TRUST_PROXY: '0' },
      sandbox,
    });
    proxy.leadTo(distrustful.origin);
    const found = (await look()).line('TRUST_PROXY');
    expect(found?.cause).toMatch(/the app does not trust this proxy/);
    expect(found?.fix).toMatch(/set TRUST_PROXY to the number of proxies/);
    proxy.leadTo(app.origin);
    expect((await look()).line('TRUST_PROXY')?.verdict).toBe('pass');
    await distrustful.close();
  });

  it('names an app that has another PUBLIC_URL: it said that the proxy changes Host', async () => {
    const PUBLIC_URL = 'https://other.example';
    const other = await startTestApp({
      https: true,
      env: { ...environment(), PUBLIC_URL },
      sandbox,
    });
    proxy.leadTo(other.origin);
    const found = (await look()).line('cookie round trip');
    await other.close();
    expect(found?.cause).toBe(`/login leads to ${PUBLIC_URL}, the PUBLIC_URL of the running app`);
    expect(found?.fix).toContain(`set PUBLIC_URL=${proxy.origin}`);
  });

  it('is not content with the 200 of somebody else, such as a front page for every path', async () => {
    const somebody = createServer((_req, res) => res.end('<h1>Welcome</h1>')).listen(
      0,
      '127.0.0.1',
    );
    await once(somebody, 'listening');
    proxy.leadTo(`http://127.0.0.1:${(somebody.address() as AddressInfo).port}`);
    const { line, leftOut } = await look();
    somebody.close();
    expect(line('deployment')?.cause).toMatch(/answered 200, and not as the app does/);
    expect(leftOut).toEqual(['TRUST_PROXY', 'cookie round trip']);
  });

  it('sends a signed webhook through the proxy that nobody stores, and names a secret that differs', async () => {
    const webhooks = {
      GETBILL_WEBHOOK_SECRET: 'webhook-secret-of-this-test-1',
      GETBILL_WEBHOOK_COMPANY: 'company',
    };
    const receiver = await startTestApp({
      https: true,
      env: { ...environment(), ...webhooks },
      sandbox,
    });
    const through = { url: new URL(proxy.origin), urlCaFile: authority.caFile };
    const lineWith = async (secret: string) =>
      (
        await runDoctor(
          { ...doctorsEnvironment(), ...webhooks, GETBILL_WEBHOOK_SECRET: secret },
          through,
        )
      ).line('webhooks');
    expect((await lineWith(webhooks.GETBILL_WEBHOOK_SECRET))?.cause).toMatch(/is not there/);
    proxy.leadTo(receiver.origin);
    expect(await lineWith(webhooks.GETBILL_WEBHOOK_SECRET)).toMatchObject({ verdict: 'pass' });
    expect((await lineWith('webhook-secret-of-this-test-2'))?.cause).toMatch(
      /the app has another secret/,
    );
    expect(await redis.client.keys('webhook:seen:*')).toEqual([]);
    await receiver.close();
  });

  it('asks for no header of a proxy where PUBLIC_URL is http', async () => {
    const plain = await startTestApp({ env: { REDIS_URL: redis.url }, sandbox });
    const { line } = await runDoctor(
      { ...healthy(sandbox), PUBLIC_URL: plain.origin },
      { url: new URL(plain.origin) },
    );
    await plain.close();
    expect(line('TRUST_PROXY')).toMatchObject({
      verdict: 'pass',
      detail: 'not needed: PUBLIC_URL is http',
    });
  });

  it('names a certificate of the proxy that is not trusted here', async () => {
    const { line, leftOut } = await runDoctor(doctorsEnvironment(), { url: new URL(proxy.origin) });
    expect(line('deployment')).toMatchObject({ verdict: 'fail', fix: expect.stringContaining('pass --url-ca-file') as string }); // prettier-ignore
    expect(leftOut).toEqual(['TRUST_PROXY', 'cookie round trip']);
  });
});

describe('npm run doctor', () => {
  it('prints a line for each check and ends with 0 when nothing failed, else with 1, or with 2 when misunderstood', async () => {
    const through = ['--url', proxy.origin, '--url-ca-file', authority.caFile];
    const sound = await command(through, doctorsEnvironment());
    proxy.settings.proto = 'missing';
    const [faulty, misunderstood] = await Promise.all([
      command([...through, '--json'], doctorsEnvironment()),
      command(['--url', 'nowhere'], doctorsEnvironment()),
    ]);
    expect(sound).toMatchObject({ code: 0, output: expect.stringMatching(/^(pass {2}.+\n)+\n\d+ passed, 0 to look at, 0 failed\nNow: npm start\n$/) as string }); // prettier-ignore
    expect(misunderstood).toMatchObject({
      code: 2,
      output: expect.stringContaining('https:// origin') as string,
    });
    const { ok, findings, leftOut } = JSON.parse(faulty.output) as { ok: boolean; findings: Finding[]; leftOut: string[] }; // prettier-ignore
    expect([faulty.code, ok, leftOut]).toEqual([1, false, ['cookie round trip']]);
    expect(findings.filter(({ verdict }) => verdict === 'fail')).toMatchObject([
      { name: 'TRUST_PROXY' },
    ]);
  });

  it.each([
    ['is missing', 'nowhere.pem', 'It cannot be read (ENOENT): name the PEM file'],
    ['is a folder', 'src', 'It cannot be read (EISDIR): name the PEM file'],
    ['is empty', '/dev/null', 'It is no PEM certificate: name the PEM file'],
    ['holds something else', 'package.json', 'It is no PEM certificate: name the PEM file'],
  ])('ends with 2 when the file of --url-ca-file %s', async (_fault, file, text) => {
    const { code, output } = await command(['--url-ca-file', file], doctorsEnvironment());
    expect([code, output]).toEqual([2, expect.stringContaining(text)]);
    expect(output).toContain(`option '--url-ca-file <file>' argument '${file}' is invalid`);
    expect(output).not.toMatch(/^ +at /m);
  });

  it('and when it is a certificate in DER, of which TLS would trust nobody', async () => {
    const file = `${authority.caFile}.der`;
    writeFileSync(file, new X509Certificate(readFileSync(authority.caFile)).raw);
    const { code, output } = await command(['--url-ca-file', file], doctorsEnvironment());
    expect([code, output]).toEqual([2, expect.stringContaining('It is no PEM certificate')]);
  });
});
