import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultClientSecret } from '../../sandbox/sandbox.js';
import { parseConfig } from '../../src/config/config.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { healthy, runDoctor } from './support/run-doctor.js';

const METRICS_TOKEN = 'CANARY-metrics-token';
const DAY_MS = 86_400_000;

let app: TestApp;
let env: Record<string, string>;
beforeEach(async () => {
  app = await startTestApp({ env: { METRICS_TOKEN } });
  env = { ...healthy(app.sandbox), PUBLIC_URL: app.publicUrl, METRICS_TOKEN };
});
afterEach(() => app.close());

async function metric(line: string): Promise<number> {
  const { body } = await app.services.metrics.text();
  const found = body.split('\n').find((one) => one.startsWith(`getbill_connect_${line} `));
  return Number(found?.split(' ')[1]);
}
const doctor = (more: Record<string, string> = {}, daysLater = 0) =>
  runDoctor(
    { ...env, ...more },
    { url: new URL(app.publicUrl), now: () => Date.now() + daysLater * DAY_MS },
  );

describe('scopes', () => {
  it('count when they are granted and when a call needs them', async () => {
    const browser = app.browser();
    await browser.signIn();
    expect(await metric('scopes_used_total{scope="followups:read"}')).toBe(0);
    await browser.get('/api/followups');
    expect(await metric('scopes_granted_total{scope="followups:read"}')).toBe(1);
    expect(await metric('scopes_used_total{scope="followups:read"}')).toBe(1);
    expect(await metric('scopes_granted_total{scope="debts:write"}')).toBe(0);
  });

  it('that nobody has used for a day are a hint of the doctor', async () => {
    await app.browser().signIn();
    const today = (await doctor()).line('use');
    expect([today?.verdict, today?.detail]).toEqual([
      'pass',
      '0 renewals in this process, 0 refused',
    ]);
    const later = (await doctor({}, 2)).line('use');
    expect(later).toMatchObject({ verdict: 'warn', cause: expect.stringContaining('followups:read') as string, fix: expect.stringContaining('ask for fewer in GETBILL_SCOPES') as string }); // prettier-ignore
  });
});

describe('renewals', () => {
  it('count by their reason; when most follow a 401 the doctor says so', async () => {
    const browser = app.browser();
    await browser.signIn();
    for (let time = 0; time < 10; time += 1) {
      app.sandbox.control.expireAccessTokens();
      await browser.get('/api/company/profile');
    }
    expect(await metric('renewal_reasons_total{reason="rejected"}')).toBe(10);
    expect(await metric('renewal_reasons_total{reason="margin"}')).toBe(0);
    expect((await doctor()).line('use')).toMatchObject({ verdict: 'warn', cause: '10 of 10 renewals followed a 401: GetBill ends tokens before their time' }); // prettier-ignore
  });

  it('are not looked at where the metrics cannot be reached', async () => {
    expect((await doctor({ METRICS_TOKEN: 'another-metrics-token' })).line('use')).toBeUndefined();
  });
});

describe('the age of the client secret', () => {
  const since = (days: number): string =>
    new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

  it('is unknown unless something says it', async () => {
    const { body } = await app.services.metrics.text();
    expect(body).not.toMatch(/^getbill_connect_client_secret_age_seconds/m);
    expect((await doctor()).line('client secret age')).toBeUndefined();
  });

  it('is known by the setting, as a metric and to the doctor', async () => {
    const setting = { GETBILL_CLIENT_SECRET_SINCE: since(400) };
    const other = await startTestApp({ env: setting, sandbox: app.sandbox });
    const { body } = await other.services.metrics.text();
    await other.close();
    const [, seconds] = /client_secret_age_seconds\{known_by="setting"\} (\S+)/.exec(body) ?? [];
    expect(Math.floor(Number(seconds) / 86_400)).toBe(400);
    const old = (await doctor(setting)).line('client secret age');
    expect(old).toMatchObject({ verdict: 'warn', cause: expect.stringContaining('400 days old') as string }); // prettier-ignore
    const young = (await doctor({ GETBILL_CLIENT_SECRET_SINCE: since(40) })).line(
      'client secret age',
    );
    expect(young).toMatchObject({
      verdict: 'pass',
      detail: '40 days, by GETBILL_CLIENT_SECRET_SINCE',
    });
    const never = await doctor({ GETBILL_CLIENT_SECRET_SINCE: since(-3) });
    expect(never.line('client secret age')?.verdict).toBe('warn');
    const today = await doctor({ GETBILL_CLIENT_SECRET_SINCE: since(-1) }); // east of Greenwich it is tomorrow
    expect(today.line('client secret age')?.detail).toContain('0 days');
  });

  it('is known by the file, which counts for less than the setting', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gb-secret-'));
    const file = join(folder, 'secret');
    writeFileSync(file, defaultClientSecret);
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    const inFile = { GETBILL_CLIENT_SECRET: '', GETBILL_CLIENT_SECRET_FILE: file };
    const made = (more: Record<string, string> = {}) =>
      parseConfig({ ...env, ...inFile, ...more }).getbill.clientSecretMade;
    expect(made()).toEqual({ knownBy: 'file', atMs: 1_700_000_000_000 });
    expect(made({ GETBILL_CLIENT_SECRET_SINCE: '2026-01-31' })).toEqual({
      knownBy: 'setting',
      atMs: Date.parse('2026-01-31'),
    });
    rmSync(folder, { recursive: true });
    expect(() => made({ GETBILL_CLIENT_SECRET_SINCE: '31/01/2026' })).toThrow();
  });
});
