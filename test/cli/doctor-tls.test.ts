import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import {
  createAuthority,
  type Authority,
  type Certificate,
} from '../security/support/certificates.js';
import { startTlsFront, type TlsFront } from '../security/support/tls-front.js';
import { runDoctor, healthy, type Env } from './support/run-doctor.js';

const DAY_MS = 86_400_000;

let authority: Authority;
let sandbox: Sandbox;
let good: Certificate;
let expired: Certificate;
let front: TlsFront;
let oldFront: TlsFront;
beforeAll(async () => {
  authority = createAuthority();
  sandbox = await startSandbox();
  [good, expired] = [authority.issue(), authority.issue({ expired: true })];
  front = await startTlsFront(good, { to: sandbox.origin });
  oldFront = await startTlsFront(expired, { to: sandbox.origin });
});
afterAll(async () => {
  front.close();
  oldFront.close();
  await sandbox.close();
  authority.remove();
});

const behind = ({ origin }: TlsFront, env: Env = {}): Env => ({ ...healthy(sandbox), GETBILL_BASE_URL: origin, GETBILL_CA_FILE: authority.caFile, ...env }); // prettier-ignore
const pins = (...list: string[]): Env => ({ GETBILL_TLS_PINS: list.join(',') });
const nobodys = 'A'.repeat(43) + '=';

describe('the doctor, of the certificate of GetBill', () => {
  it('passes a good one, with and without pins', async () => {
    for (const env of [behind(front), behind(front, pins(good.pin, nobodys))]) {
      const { failed, line } = await runDoctor(env, { now: () => Date.now() - 40 * DAY_MS });
      expect([
        failed().filter((name) => name !== 'clock'),
        line('GetBill certificate')?.verdict,
      ]).toEqual([[], 'pass']);
    }
  });

  it('names an expired one; once it is renewed the line passes', async () => {
    const { line, leftOut } = await runDoctor(behind(oldFront));
    const found = line('GetBill certificate');
    expect(found).toMatchObject({
      verdict: 'fail',
      fix: expect.stringContaining('must renew it') as string,
    });
    expect(found?.cause).toMatch(
      /the certificate of localhost:\d+ has expired \(CERT_HAS_EXPIRED\); it is valid until 20\d\d-/,
    );
    expect(leftOut).toContain('token endpoint');
    expect(oldFront.requests()).toBe(0);
    expect((await runDoctor(behind(front))).line('GetBill certificate')?.verdict).not.toBe('fail');
  });

  it('warns of one that ends soon', async () => {
    const { line } = await runDoctor(behind(front));
    expect(line('GetBill certificate')).toMatchObject({ verdict: 'warn', cause: expect.stringMatching(/ends in [01] days/) as string }); // prettier-ignore
  });

  it('names one that nobody vouches for; with the CA file the line passes', async () => {
    const { line } = await runDoctor(behind(front, { GETBILL_CA_FILE: '' }));
    expect(line('GetBill certificate')).toMatchObject({ verdict: 'fail', fix: expect.stringContaining('set GETBILL_CA_FILE') as string }); // prettier-ignore
    expect((await runDoctor(behind(front))).failed()).toEqual([]);
  });

  it('names a wrong pin and shows the pins that are there; with those the line passes', async () => {
    const { line, failed } = await runDoctor(
      behind(front, pins(nobodys, nobodys.replace('A', 'B'))),
    );
    const found = line('GetBill pins');
    expect(failed()).toEqual(['GetBill pins']);
    expect(found?.cause).toMatch(
      /no certificate of localhost:\d+ has a key that GETBILL_TLS_PINS names \(TLS_PIN_MISMATCH\)/,
    );
    const shown = found?.fix?.match(/[A-Za-z0-9+/]{43}=/g) ?? [];
    expect(shown[0]).toBe(good.pin);
    expect((await runDoctor(behind(front, pins(...shown)))).line('GetBill pins')?.verdict).toBe(
      'pass',
    );
  });

  it('names http where https is spoken; with https the line passes', async () => {
    const { line } = await runDoctor(
      behind(front, { GETBILL_BASE_URL: front.origin.replace('https:', 'http:') }),
    );
    expect(line('GetBill reachable')).toMatchObject({
      verdict: 'fail',
      fix: 'write https:// in GETBILL_BASE_URL',
    });
    expect(line('GetBill reachable')?.cause).toMatch(/says http, but localhost:\d+ speaks https/);
    expect((await runDoctor(behind(front))).line('GetBill reachable')?.verdict).toBe('pass');
  });
});
