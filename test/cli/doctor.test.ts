import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import type { Finding } from '../../src/cli/doctor/check.js';
import { startTestApp } from '../support/test-app.js';
import { runDoctor, followed, healthy, type Env } from './support/run-doctor.js';

interface Fault {
  /** Brings the fault into the sandbox, or returns what is wrong in the environment. */
  plant: (sandbox: Sandbox) => Env | undefined;
  line: string;
  cause: RegExp;
  fix: RegExp;
  /** Does what the fix says; default: sets the variables it names. */
  cure?: (sandbox: Sandbox, finding: Finding) => Env | undefined;
}

const otherUri = 'http://localhost:3000/oauth/other';

const faults: Record<string, Fault> = {
  'invalid_client: a wrong secret': {
    plant: ({ control }) => void control.setClientSecrets(['another-secret']),
    line: 'client credentials',
    cause: /invalid_client: GetBill knows GETBILL_CLIENT_ID, so GETBILL_CLIENT_SECRET is wrong/,
    fix: /copy the secret of this client/,
    cure: () => ({ GETBILL_CLIENT_SECRET: 'another-secret' }),
  },
  'invalid_client: a secret with a comma that ends it': {
    plant: () => ({ GETBILL_CLIENT_SECRET: 'sandbox-secret-7c1f0e5a,d2b94c36' }),
    line: 'client credentials',
    cause: /GETBILL_CLIENT_SECRET is wrong: none of its 2 entries is accepted/,
    fix: /copy the secret .*; a comma ends an entry, one that is part of the secret is written \\,/,
    cure: () => ({ GETBILL_CLIENT_SECRET: 'sandbox-secret-7c1f0e5ad2b94c36' }),
  },
  'invalid_client: a wrong id': {
    plant: () => ({ GETBILL_CLIENT_ID: 'somebody-else' }),
    line: 'client credentials',
    cause: /invalid_client: GetBill has no active client with this GETBILL_CLIENT_ID/,
    fix: /compare its id and secret with GETBILL_CLIENT_ID/,
    cure: () => ({ GETBILL_CLIENT_ID: 'sandbox-client' }),
  },
  'an inactive client': {
    plant: ({ control }) => void control.setClientActive(false),
    line: 'client credentials',
    cause: /invalid_client: .*inactive/,
    fix: /activate the client/,
    cure: ({ control }) => void control.setClientActive(true),
  },
  'invalid_scope: a scope the client was not given': {
    plant: ({ control }) => void control.setClientScopes(['company:read']),
    line: 'scopes',
    cause: /invalid_scope: GETBILL_SCOPES asks for debts:read,/,
    fix: /tick it .* or ask for fewer: GETBILL_SCOPES="company:read"/,
  },
  'invalid_scope: the same, mended at GetBill': {
    plant: ({ control }) => void control.setClientScopes(['company:read']),
    line: 'scopes',
    cause: /invalid_scope/,
    fix: /tick it for this client/,
    cure: ({ control }) => void control.setClientScopes(['company:read', 'debts:read']),
  },
  'redirect_uri_mismatch: another path is registered': {
    plant: () => ({ PUBLIC_URL: 'http://localhost:3999' }),
    line: 'redirect URI',
    cause: /redirect_uri_mismatch: http:\/\/localhost:3999\/oauth\/callback is not registered/,
    fix: /register exactly http:\/\/localhost:3999\/oauth\/callback in the GetBill dashboard/,
    cure: ({ control }, { fix = '' }) =>
      void control.addRedirectUri(/exactly (\S+)/.exec(fix)?.[1] ?? ''),
  },
  'redirect host 127.0.0.1, registered with localhost': {
    plant: () => ({ PUBLIC_URL: 'http://127.0.0.1:3000' }),
    line: 'redirect URI',
    cause:
      /redirect_uri_mismatch: not http:\/\/127\.0\.0\.1:3000\S* is registered at GetBill, but http:\/\/localhost:3000/,
    fix: /register http:\/\/127\.0\.0\.1:3000\S* .* or set PUBLIC_URL=http:\/\/localhost:3000 /,
  },
  'redirect host 127.0.0.1 against localhost in PUBLIC_URL': {
    plant: () => ({
      PUBLIC_URL: 'http://localhost:3000',
      GETBILL_REDIRECT_URI: 'http://127.0.0.1:3000/oauth/callback',
    }),
    line: 'configuration',
    cause: /GETBILL_REDIRECT_URI must be \$PUBLIC_URL\/oauth\/callback, but host differs/,
    fix: /leave it unset/,
    cure: () => ({ GETBILL_REDIRECT_URI: '' }),
  },
  'a redirect URI with another scheme, port and path': {
    plant: () => ({ GETBILL_REDIRECT_URI: 'https://localhost:3001/callback' }),
    line: 'configuration',
    cause: /but scheme, port, path differ/,
    fix: /leave it unset/,
    cure: () => ({ GETBILL_REDIRECT_URI: '' }),
  },
  'a wrong token URL': {
    plant: ({ origin }) => ({ GETBILL_TOKEN_URL: `${origin}/oauth/tokens` }),
    line: 'token endpoint',
    cause: /\/oauth\/tokens answered 404 without an OAuth error/,
    fix: /set GETBILL_TOKEN_URL=\S+\/oauth\/token, which answers as one/,
  },
  'a wrong path of the API': {
    plant: ({ origin }) => ({ GETBILL_API_URL: `${origin}/external-api/v2` }),
    line: 'GetBill API',
    cause: /GET \S+\/external-api\/v2\/company\/profile answered 404/,
    fix: /correct GETBILL_API_URL; GetBill documents \S+\/external-api\/v1/,
    cure: ({ origin }) => ({ GETBILL_API_URL: `${origin}/external-api/v1` }),
  },
  'an issuer that GetBill does not send': {
    plant: () => ({ GETBILL_ISSUER: 'https://getbill.example' }),
    line: 'issuer',
    cause: /GetBill sends another "iss" than GETBILL_ISSUER/,
    fix: /set GETBILL_ISSUER=http/,
  },
  'a revocation URL that is none': {
    plant({ origin, control }) {
      control.set({ revocation: true });
      return { GETBILL_REVOKE_URL: `${origin}/oauth/revocation` };
    },
    line: 'revocation',
    cause: /GETBILL_REVOKE_URL does not revoke/,
    fix: /correct GETBILL_REVOKE_URL, or unset it/,
    cure: ({ origin }) => ({ GETBILL_REVOKE_URL: `${origin}/oauth/revoke` }),
  },
  'a client secret with the quotes of docker --env-file': {
    plant: () => ({ GETBILL_CLIENT_SECRET: '"sandbox-secret-7c1f0e5ad2b94c36"' }),
    line: 'configuration',
    cause: /GETBILL_CLIENT_SECRET begins and ends with a quote, has \d+ characters/,
    fix: /docker --env-file keeps quotes/,
    cure: () => ({ GETBILL_CLIENT_SECRET: 'sandbox-secret-7c1f0e5ad2b94c36' }),
  },
  'an authorize URL that is none': {
    plant: ({ origin }) => ({ GETBILL_AUTHORIZE_URL: `${origin}/nowhere` }),
    line: 'redirect URI',
    cause: /\/nowhere answered 404: not an authorization endpoint/,
    fix: /GetBill documents \S+\/oauth\/authorize/,
    cure: ({ origin }) => ({ GETBILL_AUTHORIZE_URL: `${origin}/oauth/authorize` }),
  },
  'http instead of https': {
    plant: () => ({ GETBILL_BASE_URL: 'http://getbill.example' }),
    line: 'configuration',
    cause: /GETBILL_BASE_URL must be https/,
    fix: /write https:\/\/ in it/,
    cure: () => ({ GETBILL_BASE_URL: 'https://localhost:1' }),
  },
  'https where http is spoken': {
    plant: ({ origin }) => ({ GETBILL_BASE_URL: origin.replace('http:', 'https:') }),
    line: 'GetBill reachable',
    cause: /GETBILL_BASE_URL says https, but localhost:\d+ speaks plain http/,
    fix: /http:\/\/ is right only for a GetBill sandbox on this machine/,
    cure: ({ origin }) => ({ GETBILL_BASE_URL: origin }),
  },
  'a clock 10 minutes behind': {
    plant: ({ control }) => void control.set({ clockOffsetMs: 600_000 }),
    line: 'clock',
    cause: /the clock of this machine is 10 minutes behind GetBill's/,
    fix: /timedatectl set-ntp true/,
    cure: ({ control }) => void control.set({ clockOffsetMs: 0 }),
  },
  'a clock 10 minutes ahead': {
    plant: ({ control }) => void control.set({ clockOffsetMs: -600_000 }),
    line: 'clock',
    cause: /the clock of this machine is 10 minutes ahead of GetBill's/,
    fix: /timedatectl set-ntp true/,
    cure: ({ control }) => void control.set({ clockOffsetMs: 0 }),
  },
  'a host that does not exist': {
    plant: () => ({ GETBILL_BASE_URL: 'https://getbill.invalid' }),
    line: 'GetBill reachable',
    cause: /DNS does not know getbill\.invalid/,
    fix: /correct GETBILL_BASE_URL/,
    cure: ({ origin }) => ({ GETBILL_BASE_URL: origin }),
  },
  'a port where nothing listens': {
    plant: () => ({ GETBILL_TOKEN_URL: 'http://localhost:1/oauth/token' }),
    line: 'GetBill reachable',
    cause: /nothing listens at localhost:1 \(ECONNREFUSED\)/,
    fix: /correct host and port in GETBILL_TOKEN_URL/,
    cure: ({ origin }) => ({ GETBILL_TOKEN_URL: `${origin}/oauth/token` }),
  },
  'a placeholder secret': {
    plant: () => ({ GETBILL_CLIENT_SECRET: 'your_client_secret_here' }),
    line: 'configuration',
    cause: /GETBILL_CLIENT_SECRET still holds a placeholder/,
    fix: /find it in the GetBill dashboard/,
    cure: (_sandbox) => ({ GETBILL_CLIENT_SECRET: 'sandbox-secret-7c1f0e5ad2b94c36' }),
  },
  'a CA file that is none': {
    plant: () => ({ GETBILL_CA_FILE: 'package.json' }),
    line: 'configuration',
    cause: /GETBILL_CA_FILE names a file that is no readable PEM certificate/,
    fix: /let GETBILL_CA_FILE name the PEM file of the CA/,
    cure: () => ({ GETBILL_CA_FILE: '' }),
  },
  'a first secret that is not accepted any more': {
    plant: () => ({ GETBILL_CLIENT_SECRET: 'an-old-one,sandbox-secret-7c1f0e5ad2b94c36' }),
    line: 'client credentials',
    cause: /the first secret in GETBILL_CLIENT_SECRET is not accepted, a later one is/,
    fix: /leave only the accepted one/,
    cure: () => ({ GETBILL_CLIENT_SECRET: 'sandbox-secret-7c1f0e5ad2b94c36' }),
  },
};

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox({
    redirectUris: ['http://localhost:3000/oauth/callback', otherUri],
  });
});
afterEach(() => sandbox.close());

describe('the doctor', () => {
  it('finds nothing to mend where nothing is wrong, in the order that explains most', async () => {
    const { findings, leftOut } = await runDoctor(healthy(sandbox));
    expect(findings.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['configuration', 'pass'],
      ['Redis', 'warn'], // memory: right for a first look
      ['GetBill reachable', 'pass'],
      ['clock', 'pass'],
      ['token endpoint', 'pass'],
      ['one GetBill', 'pass'],
      ['client credentials', 'pass'],
      ['scopes', 'pass'],
      ['code exchange', 'pass'],
      ['GetBill API', 'pass'],
      ['redirect URI', 'pass'],
    ]);
    expect(leftOut).toEqual([]);
  });

  it.each(Object.entries(faults))(
    'names the cause of a planted fault, and a fix that works: %s',
    async (_name, fault) => {
      const planted = { ...healthy(sandbox), ...fault.plant(sandbox) };
      const found = (await runDoctor(planted)).line(fault.line);
      expect(found?.verdict).not.toBe('pass');
      expect(found?.cause).toMatch(fault.cause);
      expect(found?.fix).toMatch(fault.fix);

      const cured =
        fault.cure === undefined
          ? followed(found as Finding)
          : fault.cure(sandbox, found as Finding);
      const again = await runDoctor({ ...planted, ...cured });
      expect(again.line(fault.line)?.verdict).toBe('pass');
    },
  );

  it('follows no redirect of the token endpoint, but says where it leads', async () => {
    const gate = createServer((_req, res) =>
      res.writeHead(308, { location: `${sandbox.origin}/token?a=b` }).end(),
    );
    await new Promise<void>((resolve) => gate.listen(0, 'localhost', resolve));
    const { port } = gate.address() as AddressInfo;
    const planted = {
      ...healthy(sandbox),
      GETBILL_TOKEN_URL: `http://localhost:${port}/oauth/token`,
    };
    const found = (await runDoctor(planted)).line('token endpoint');
    gate.close();
    expect(followed(found as Finding)).toEqual({ GETBILL_TOKEN_URL: `${sandbox.origin}/token` });
    const again = await runDoctor({ ...planted, ...followed(found as Finding) });
    expect(again.line('token endpoint')?.verdict).toBe('pass');
  });

  it('PORT=0 without PUBLIC_URL is one finding, whose fix is not to register port 0', async () => {
    const { findings } = await runDoctor({ ...healthy(sandbox), PORT: '0' });
    expect(findings).toEqual([
      {
        name: 'configuration',
        verdict: 'fail',
        cause: expect.stringMatching(/^PORT is 0 and PUBLIC_URL is not set/) as string,
        fix: expect.stringContaining('set PORT to a free port, or PUBLIC_URL') as string,
      },
    ]);
  });

  it('a wrong secret at Keycloak, which calls it unauthorized_client for every grant, is one finding', async () => {
    const keycloak = createServer((_req, res) => {
      const headers = { 'content-type': 'application/json' };
      res.writeHead(401, headers).end('{"error":"unauthorized_client"}');
    });
    await new Promise<void>((resolve) => keycloak.listen(0, 'localhost', resolve));
    const { port } = keycloak.address() as AddressInfo;
    const GETBILL_TOKEN_URL = `http://localhost:${port}/token`;
    const { line, leftOut } = await runDoctor({ ...healthy(sandbox), GETBILL_TOKEN_URL });
    keycloak.close();
    expect(line('client credentials')).toMatchObject({
      verdict: 'fail',
      cause: expect.stringContaining('GETBILL_CLIENT_SECRET is wrong') as string,
      fix: expect.stringContaining('copy the secret of this client') as string,
    });
    expect(leftOut).toEqual(expect.arrayContaining(['scopes', 'code exchange']));
  });

  describe('where the token endpoint refuses requests without a client, with 403 and no body', () => {
    let gate: Server;
    let origin: string;
    beforeEach(async () => {
      gate = createServer((req, res) => void answer(req, res));
      await new Promise<void>((resolve) => gate.listen(0, 'localhost', resolve));
      origin = `http://localhost:${(gate.address() as AddressInfo).port}`;
    });
    afterEach(() => gate.close());

    /** Only /oauth/token is one; every other path is the 404 of a framework, whose JSON has an "error", too. */
    async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
      let body = '';
      for await (const chunk of req as AsyncIterable<Buffer>) body += chunk.toString();
      if (req.url !== '/oauth/token') {
        res
          .writeHead(404, { 'content-type': 'application/json' })
          .end('{"error":"Not Found","status":404}');
      } else if (!body.includes('client_id')) {
        res.writeHead(403).end();
      } else {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        const inner = await fetch(`${sandbox.origin}/oauth/token`, {
          method: 'POST',
          headers,
          body,
        });
        res.writeHead(inner.status, { 'content-type': 'application/json' }).end(await inner.text());
      }
    }

    it('passes the right URL', async () => {
      const { line } = await runDoctor({
        ...healthy(sandbox),
        GETBILL_TOKEN_URL: `${origin}/oauth/token`,
      });
      expect(line('token endpoint')).toMatchObject({ verdict: 'pass' });
      expect(line('client credentials')).toMatchObject({ verdict: 'pass' });
    });

    it('fails a wrong one, with a fix that works', async () => {
      const planted = { ...healthy(sandbox), GETBILL_TOKEN_URL: `${origin}/token` };
      const found = (await runDoctor(planted)).line('token endpoint');
      expect(followed(found as Finding)).toEqual({ GETBILL_TOKEN_URL: `${origin}/oauth/token` });
      const again = await runDoctor({ ...planted, ...followed(found as Finding) });
      expect(again.line('token endpoint')?.verdict).toBe('pass');
    });
  });

  it('warns of an HSTS header that covers more than HSTS says', async () => {
    const wide = createServer((_req, res) => {
      res
        .writeHead(200, { 'strict-transport-security': 'max-age=31536000; includeSubDomains' })
        .end('{"status":"ok"}');
    });
    await new Promise<void>((resolve) => wide.listen(0, 'localhost', resolve));
    const url = new URL(`http://localhost:${(wide.address() as AddressInfo).port}`);
    const found = (await runDoctor({ ...healthy(sandbox), HSTS: 'host' }, { url })).line(
      'deployment',
    );
    const meant = (await runDoctor({ ...healthy(sandbox), HSTS: 'subdomains' }, { url })).line(
      'deployment',
    );
    wide.close();
    expect(found).toMatchObject({
      verdict: 'warn',
      cause: 'Strict-Transport-Security covers every host below localhost, though HSTS=host here',
      fix: expect.stringContaining('set HSTS=subdomains if all of them are https') as string,
    });
    expect(meant?.cause ?? '').not.toContain('Strict-Transport-Security');
  });

  describe('with GETBILL_ISSUER', () => {
    const issuer = 'https://getbill.example';
    /** An authorization server that sends a wrong response type back with this `iss`, or shows a page. */
    async function issuerLine(
      iss: string | undefined,
      { page = false } = {},
    ): Promise<Finding | undefined> {
      const server = createServer((req, res) => {
        const { searchParams } = new URL(req.url ?? '/', 'http://localhost');
        const target = new URL(searchParams.get('redirect_uri') ?? 'http://localhost/');
        target.searchParams.set('error', 'unsupported_response_type');
        if (iss !== undefined) target.searchParams.set('iss', iss);
        const isWrong = searchParams.get('response_type') === 'doctor';
        if (page || !isWrong || target.hostname.endsWith('.invalid'))
          res.writeHead(200).end('<form>');
        else res.writeHead(302, { location: target.href }).end();
      });
      await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
      const GETBILL_AUTHORIZE_URL = `http://localhost:${(server.address() as AddressInfo).port}/oauth/authorize`;
      const { line } = await runDoctor({
        ...healthy(sandbox),
        GETBILL_AUTHORIZE_URL,
        GETBILL_ISSUER: issuer,
      });
      server.close();
      return line('issuer');
    }

    it('passes when callbacks carry it', async () => {
      expect(await issuerLine(issuer)).toMatchObject({ verdict: 'pass', detail: issuer });
    });

    it('fails when they carry none, or one that differs by a slash', async () => {
      expect(await issuerLine(undefined)).toMatchObject({
        verdict: 'fail',
        fix: 'unset GETBILL_ISSUER',
      });
      expect(await issuerLine(`${issuer}/`)).toMatchObject({
        verdict: 'fail',
        fix: `set GETBILL_ISSUER=${issuer}/`,
      });
    });

    it('warns when it cannot be seen', async () => {
      expect(await issuerLine(issuer, { page: true })).toMatchObject({ verdict: 'warn' });
    });
  });

  it('lists every fault of the configuration by name, and looks at nothing else', async () => {
    const { findings } = await runDoctor({ GETBILL_CLIENT_ID: 'changeme', TRUST_PROXY: 'true' });
    expect(findings.map(({ cause = '' }) => cause.split(' ')[0])).toEqual([
      'TRUST_PROXY',
      'GETBILL_CLIENT_ID',
      'GETBILL_CLIENT_SECRET',
      'SESSION_SECRET',
      'TOKEN_ENCRYPTION_KEY',
    ]);
    expect(findings.every(({ verdict }) => verdict === 'fail')).toBe(true);
    expect(findings[1]?.fix).toMatch(/^correct GETBILL_CLIENT_ID in \.env/);
    expect(findings[2]?.fix).toMatch(/^set GETBILL_CLIENT_SECRET in \.env/); // there is nothing to correct
  });

  it('says what it did not look at, because it would only repeat an earlier line', async () => {
    const { leftOut, failed } = await runDoctor({
      ...healthy(sandbox),
      GETBILL_BASE_URL: 'http://localhost:1',
    });
    expect(failed()).toEqual(['GetBill reachable']);
    expect(leftOut).toContain('client credentials');
  });

  it('does not name what has no setting here as left out', async () => {
    const env = { ...healthy(sandbox), GETBILL_CLIENT_SECRET: 'not-the-secret-of-this-client' };
    const redirect = { PUBLIC_URL: 'http://localhost:3999' };
    const issuer = { GETBILL_ISSUER: sandbox.origin };
    expect((await runDoctor(env)).leftOut).toEqual(['scopes', 'code exchange']);
    expect((await runDoctor({ ...healthy(sandbox), ...redirect })).leftOut).toEqual([]);
    const asked = await runDoctor({ ...healthy(sandbox), ...redirect, ...issuer });
    expect(asked.leftOut).toEqual(['issuer']);
  });

  it('gets no token by a code or a refresh, and starts no sign-in at GetBill that somebody could go on with', async () => {
    await runDoctor(healthy(sandbox));
    const { tokenByGrant } = sandbox.control.state().counters;
    expect(tokenByGrant).toMatchObject({ authorization_code: 1, refresh_token: 0 });
    expect(
      sandbox.control.requests().filter(({ url }) => url.startsWith('/oauth/interaction')),
    ).toEqual([]);
  });

  it('cannot prove a redirect URI where GetBill asks for a sign-in first, and says so', async () => {
    const gate = await startSandbox({ redirectUris: [otherUri] });
    const env = { ...healthy(sandbox), GETBILL_AUTHORIZE_URL: `${gate.origin}/` }; // a page, whatever is asked
    const { line } = await runDoctor(env);
    await gate.close();
    expect(line('redirect URI')).toMatchObject({
      verdict: 'warn',
      fix: expect.stringContaining('/login') as string,
    });
  });
});

describe('invalid_grant: sign-in at one GetBill, tokens from another', () => {
  let other: Sandbox;
  beforeEach(async () => {
    other = await startSandbox({
      redirectUris: ['http://localhost:3000/oauth/callback'],
      faults: { consent: 'auto' },
    });
  });
  afterEach(() => other.close());

  async function signIn(env: Env): Promise<number> {
    const app = await startTestApp({ env, sandbox });
    try {
      other.control.addRedirectUri(`${app.publicUrl}/oauth/callback`);
      return (await app.browser().signIn()).status;
    } finally {
      await app.close();
    }
  }

  it('ends every sign-in; the doctor names the two servers, and its fix signs people in', async () => {
    const planted = { GETBILL_AUTHORIZE_URL: `${other.origin}/oauth/authorize` };
    expect(await signIn(planted)).toBe(400);
    const found = (await runDoctor({ ...healthy(sandbox), ...planted })).line('one GetBill');
    expect(found).toMatchObject({
      verdict: 'fail',
      cause: expect.stringContaining('invalid_grant') as string,
    });
    const cured = { ...planted, ...followed(found as Finding) };
    expect(cured).toMatchObject({ GETBILL_TOKEN_URL: `${other.origin}/oauth/token` });
    expect((await runDoctor({ ...healthy(sandbox), ...cured })).line('one GetBill')?.verdict).toBe(
      'pass',
    );
    expect(await signIn(cured)).toBe(303);
  });
});

describe('the doctor, whose output', () => {
  const start = (stdout: 'pipe' | number) =>
    spawn(process.execPath, ['--import', 'tsx', 'src/cli/doctor.ts'], {
      env: { GETBILL_CLIENT_ID: 'client-1' },
      stdio: ['ignore', stdout, 'pipe'],
    });
  async function endOf(child: ChildProcess): Promise<{ code: unknown; stderr: string }> {
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as unknown[];
    return { code, stderr };
  }

  it('has no reader any more, ends without a word', async () => {
    const child = start('pipe');
    child.stdout?.destroy();
    expect((await endOf(child)).stderr).toBe('');
  });

  it('cannot be written, says why in one line', async () => {
    const full = openSync('/dev/full', 'w');
    const { code, stderr } = await endOf(start(full));
    closeSync(full);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^the output cannot be written: ENOSPC.*\n$/),
    ]);
  });
});
