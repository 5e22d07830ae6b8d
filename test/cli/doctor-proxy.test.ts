import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { explainError } from '../../src/cli/explain-error.js';
import { parseConfig } from '../../src/config/config.js';
import type { AppEvent } from '../../src/events.js';
import { proxyFor } from '../../src/getbill/proxy.js';
import { createUpstream } from '../../src/getbill/upstream.js';
import { secret } from '../../src/secret.js';
import { startConnectProxy, type ConnectProxy } from '../proxy/support/connect-proxy.js';
import { createAuthority, type Authority } from '../security/support/certificates.js';
import { startTlsFront, type TlsFront } from '../security/support/tls-front.js';
import { runDoctor, healthy, type Env } from './support/run-doctor.js';

let authority: Authority;
let sandbox: Sandbox;
let front: TlsFront;
let proxy: ConnectProxy;
let pin: string;
beforeAll(async () => {
  authority = createAuthority();
  sandbox = await startSandbox();
  const certificate = authority.issue();
  pin = certificate.pin;
  front = await startTlsFront(certificate, { to: sandbox.origin });
});
beforeEach(async () => {
  proxy = await startConnectProxy();
});
afterEach(() => proxy.close());
afterAll(async () => {
  front.close();
  await sandbox.close();
  authority.remove();
});

/** GetBill has a name that only the proxy can resolve. */
const behindProxy = (env: Env = {}): Env => ({
  ...healthy(sandbox),
  GETBILL_BASE_URL: front.origin,
  GETBILL_CA_FILE: authority.caFile,
  HTTPS_PROXY: proxy.url,
  ...env,
});
const place = (): string => new URL(proxy.url).host;

describe('the doctor, where GetBill is called through a proxy', () => {
  it('looks at address, certificate and pins through it, and names it without its password', async () => {
    const { findings, line, failed } = await runDoctor(
      behindProxy({ GETBILL_TLS_PINS: `${pin},${'A'.repeat(43)}=` }),
    );
    expect(failed()).toEqual([]);
    expect(line('GetBill reachable')?.detail).toContain(
      `through the proxy ${place()} (HTTPS_PROXY)`,
    );
    expect(line('GetBill certificate')?.verdict).not.toBe('fail');
    expect(line('GetBill pins')?.verdict).toBe('pass');
    expect(JSON.stringify(findings)).not.toMatch(/let me in|let%20me|staff/);
    const direct = proxy.asked.filter(
      (authorityAsked) => authorityAsked !== new URL(front.origin).host,
    );
    expect(direct).toEqual([]);
    expect(proxy.asked.length).toBeGreaterThanOrEqual(4);
  });

  it('names a proxy that wants a password', async () => {
    const { line } = await runDoctor(
      behindProxy({ HTTPS_PROXY: proxy.url.replace('staff:let%20me%20in@', '') }),
    );
    expect(line('GetBill reachable')).toMatchObject({
      verdict: 'fail',
      cause: `the proxy ${place()} wants a name and password (407)`,
      fix: `write them into HTTPS_PROXY: http://name:password@${place()}`,
    });
  });

  it('names a proxy that does not let through, one where nothing listens, and one that says nothing', async () => {
    proxy.does('refuse');
    const refused = (await runDoctor(behindProxy())).line('GetBill reachable');
    expect(refused?.cause).toMatch(
      /the proxy \S+ does not lead to localhost:\d+ \(it answered 403\)/,
    );
    expect(refused?.fix).toContain('NO_PROXY');

    proxy.does('hang');
    const silent = (await runDoctor(behindProxy({ GETBILL_TIMEOUT_MS: '300' }))).line(
      'GetBill reachable',
    );
    expect(silent?.cause).toContain(`the proxy ${place()} did not answer within 300 ms`);
    expect(silent?.fix).toMatch(/the proxy \S+ in the firewall, or correct HTTPS_PROXY/);

    const nobody = (await runDoctor(behindProxy({ HTTPS_PROXY: 'http://localhost:1' }))).line(
      'GetBill reachable',
    );
    expect(nobody).toMatchObject({
      cause: 'nothing listens at localhost:1 (ECONNREFUSED)',
      fix: 'correct host and port in HTTPS_PROXY, or start what should be there',
    });
  });

  it('leads to the CA of a proxy that speaks TLS, which is not the one of GetBill', async () => {
    const { line } = await runDoctor(behindProxy({ HTTPS_PROXY: front.origin }));
    expect(line('GetBill reachable')).toMatchObject({
      verdict: 'fail',
      fix: expect.stringMatching(/^set NODE_EXTRA_CA_CERTS to the PEM file/) as string,
    });
  });

  it('goes directly where NO_PROXY says so', async () => {
    const { failed } = await runDoctor(behindProxy({ NO_PROXY: '.example,localhost' }));
    expect([failed(), proxy.asked]).toEqual([[], []]);
  });
});

/** A call that the proxy does not let through. */
async function failedCall(env: Env) {
  const config = parseConfig(behindProxy({ GETBILL_TIMEOUT_MS: '300', ...env }));
  const events: AppEvent[] = [];
  const upstream = createUpstream({ config: config.getbill, emit: (event) => events.push(event) });
  const error: unknown = await upstream
    .send(config.getbill.tokenUrl, { headers: {}, body: '', timeoutMs: 300 })
    .catch((reason: unknown) => reason);
  await upstream.close();
  return { config, error, events };
}

describe('the error of a call, as it is logged', () => {
  it('names a proxy that says nothing, of which it said only that GetBill did not answer', async () => {
    proxy.does('hang');
    const { error } = await failedCall({});
    const cause = {
      message: `the request was not sent: no connection through the proxy ${place()} (HTTPS_PROXY)`,
    };
    expect(error).toMatchObject({ code: 'getbill_timeout', cause });
  });

  it('is tls_failed of the proxy whose certificate is not trusted, and not of GetBill', async () => {
    const { events } = await failedCall({
      HTTPS_PROXY: front.origin,
      GETBILL_BASE_URL: 'https://getbill.example',
    });
    const reason = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
    expect(events).toEqual([{ type: 'tls_failed', host: new URL(front.origin).host, reason }]);
  });
});

describe('the command line, where GetBill is called through a proxy', () => {
  async function said(env: Env): Promise<string> {
    const { error, config } = await failedCall(env);
    return explainError(error, config);
  }

  it('names the proxy and its variable, and not GetBill', async () => {
    const bare = proxy.url.replace('staff:let%20me%20in@', '');
    expect(await said({ HTTPS_PROXY: bare })).toMatch(
      /the proxy \S+ wants a name and password \(407\)\n.*HTTPS_PROXY: http:\/\/name:password@/,
    );
    proxy.does('refuse');
    expect(await said({})).toMatch(/the proxy \S+ does not lead to .*answered 403\)\n.*NO_PROXY/);
    proxy.does('hang');
    expect(await said({})).toMatch(/through the proxy \S+ \(HTTPS_PROXY\): .*within 300 ms/);
    expect(await said({ HTTPS_PROXY: 'http://localhost:1' })).toMatch(
      /nothing listens at localhost:1 \(ECONNREFUSED\)\n.*HTTPS_PROXY/,
    );
    expect(await said({})).not.toMatch(/let me in|let%20me|staff/);
  });

  it('does not blame a proxy that lets through to where nothing listens', async () => {
    const url = new URL(front.origin);
    url.port = '1';
    expect(await said({ GETBILL_BASE_URL: url.origin })).toMatch(
      /localhost:1 .*\n.*GETBILL_BASE_URL/,
    );
  });
});

describe('the proxy for an address', () => {
  const both = { http: secret('http://plain:1'), https: secret('http://tls:2') };

  it.each([
    ['https://getbill.io', '', 'HTTPS_PROXY'],
    ['http://getbill.io', '', 'HTTP_PROXY'],
    ['https://getbill.io', '*', undefined],
    ['https://getbill.io', 'getbill.io', undefined],
    ['https://api.getbill.io', 'getbill.io', undefined],
    ['https://api.getbill.io', '.getbill.io', undefined],
    ['https://api.getbill.io', '*.GetBill.io', undefined],
    ['https://notgetbill.io', 'getbill.io', 'HTTPS_PROXY'],
    ['https://getbill.io', 'getbill.io:443', undefined],
    ['https://getbill.io:8443', 'getbill.io:443', 'HTTPS_PROXY'],
    ['https://[::1]:8443', '[::1]', undefined],
    ['https://getbill.io', 'other.example getbill.io', undefined],
  ])('%s with NO_PROXY="%s" is %s', (url, except, variable) => {
    const proxy = proxyFor(new URL(url), { ...both, except });
    expect(proxy?.variable).toBe(variable);
    const hosts: Record<string, string> = { HTTPS_PROXY: 'tls', HTTP_PROXY: 'plain' };
    expect(proxy?.url.hostname).toBe(hosts[variable ?? 'none']);
  });

  it('for https without HTTPS_PROXY is that of HTTP_PROXY, as in the app', () => {
    const { variable } =
      proxyFor(new URL('https://getbill.io'), { http: both.http, https: undefined, except: '' }) ??
      {};
    expect(variable).toBe('HTTP_PROXY');
  });
});
