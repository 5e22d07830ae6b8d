/// <reference types="jest" />
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import type { Answer } from '../support/browser.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { createAuthority, type Authority, type Certificate } from './support/certificates.js';
import { startTlsFront, type TlsFront } from './support/tls-front.js';

jest.setTimeout(30_000);

let authority: Authority;
let current: Certificate;
let backup: Certificate;
let stranger: Certificate;
let sandbox: Sandbox;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  authority = createAuthority();
  [current, backup, stranger] = [authority.issue(), authority.issue(), authority.issue()];
  sandbox = await startSandbox({ faults: { consent: 'auto' } });
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(async () => {
  await sandbox.close();
  authority.remove();
});

/** The app, with the token endpoint and the API behind a TLS server that shows this certificate. */
async function withCertificate(
  certificate: Certificate,
  {
    env = {},
    maxVersion = 'TLSv1.3' as const,
  }: { env?: Record<string, string>; maxVersion?: 'TLSv1.2' | 'TLSv1.3' } = {},
): Promise<{ app: TestApp; getbill: TlsFront }> {
  const getbill = await startTlsFront(certificate, { to: sandbox.origin, maxVersion });
  const urls = {
    GETBILL_TOKEN_URL: `${getbill.origin}/oauth/token`,
    GETBILL_API_URL: `${getbill.origin}/external-api/v1`,
  };
  const app = await startTestApp({
    sandbox,
    env: { GETBILL_CA_FILE: authority.caFile, ...urls, ...env },
  });
  open.push(app, getbill);
  return { app, getbill };
}

const pinned = (...certificates: Certificate[]) => ({
  GETBILL_TLS_PINS: certificates.map(({ pin }) => pin).join(','),
});

const faultsOf = ({ events }: TestApp): unknown[] =>
  events.filter(({ type }) => type === 'tls_failed');

async function signInAndRead(app: TestApp): Promise<{ signIn: Answer; profile: Answer }> {
  const browser = app.browser();
  const signIn = await browser.signIn();
  return {
    signIn,
    profile: await browser.get('/api/company/profile', { accept: 'application/json' }),
  };
}

async function expectToWork(app: TestApp): Promise<void> {
  const { signIn, profile } = await signInAndRead(app);
  expect([signIn.status, profile.status]).toEqual([303, 200]);
}

async function expectToBeRefused(
  { app, getbill }: { app: TestApp; getbill: TlsFront },
  reason: string,
): Promise<void> {
  const { signIn } = await signInAndRead(app);
  expect([signIn.status, signIn.setCookies, getbill.requests()]).toEqual([502, [], 0]);
  expect(faultsOf(app)).toEqual([
    { type: 'tls_failed', host: new URL(getbill.origin).host, reason },
  ]);
  expect(signIn.text).not.toContain(reason);
  expect(app.logged()).toContain('"type":"tls_failed"');
}

describe('GetBill behind a certificate', () => {
  it('[K07] of a private authority is trusted when that is given as a file', async () => {
    const { app } = await withCertificate(current);
    await expectToWork(app);
  });

  it('[K07] of a private authority that is not given gets nothing', async () => {
    await expectToBeRefused(
      await withCertificate(current, { env: { GETBILL_CA_FILE: '' } }),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    );
  });

  it('[K07] that has expired gets nothing', async () => {
    await expectToBeRefused(
      await withCertificate(authority.issue({ expired: true })),
      'CERT_HAS_EXPIRED',
    );
  });

  it('[K07] that vouches for itself gets nothing', async () => {
    await expectToBeRefused(
      await withCertificate(authority.selfSigned()),
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    );
  });
});

describe('GetBill behind a certificate of a trusted authority, with pins', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '[K07] works when its key is pinned (%s)',
    async (maxVersion) => {
      const { app } = await withCertificate(current, { env: pinned(current, backup), maxVersion });
      await expectToWork(app);
      expect(faultsOf(app)).toEqual([]);
    },
  );

  it('[K07] works when it has changed to the backup key', async () => {
    const { app } = await withCertificate(backup, { env: pinned(current, backup) });
    await expectToWork(app);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('[K07] gets nothing when its key is not pinned: 502 and an event (%s)', async (maxVersion) => {
    await expectToBeRefused(await withCertificate(stranger, { env: pinned(current, backup), maxVersion }), 'TLS_PIN_MISMATCH');
  }); // prettier-ignore

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '[K07] gets nothing on the next tries either (%s)',
    async (maxVersion) => {
      const { app, getbill } = await withCertificate(stranger, {
        env: pinned(current, backup),
        maxVersion,
      });
      for (let tries = 0; tries < 5; tries++)
        expect((await app.browser().signIn()).status).toBe(502);
      expect(getbill.requests()).toBe(0);
      expect(faultsOf(app)).toHaveLength(5);
    },
  );

  it('[K07] whose API has another key than pinned answers 502, as JSON', async () => {
    const { app } = await withCertificate(stranger, {
      env: { ...pinned(current, backup), GETBILL_TOKEN_URL: `${sandbox.origin}/oauth/token` },
    });
    const { signIn, profile } = await signInAndRead(app);
    expect([signIn.status, profile.status]).toEqual([303, 502]);
    expect(profile.json).toMatchObject({ error: 'getbill_unreachable' });
    expect(faultsOf(app)).toMatchObject([{ reason: 'TLS_PIN_MISMATCH' }]);
  });

  it('[K07] in report-only mode works with a key that is not pinned, and an event says so', async () => {
    const env = { ...pinned(current, backup), GETBILL_TLS_PINS_REPORT_ONLY: 'true' };
    const { app } = await withCertificate(stranger, { env });
    await expectToWork(app);
    expect(faultsOf(app)).toMatchObject([{ reason: 'TLS_PIN_MISMATCH_REPORT_ONLY' }]);
  });
});
