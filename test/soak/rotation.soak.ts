import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CLIENT_SECRET } from '../process/support/environment.js';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { deploy, DRAINING, type Deployment, type DeploymentReport } from './support/deployment.js';

/** A session ends after so long, and the people of these tests leave a little before. */
const SESSION_MAX_S = 12;
const STAYS_MS = 9_000;

/** Sign-ins and renewals that may be in the middle of it when something is switched. */
const CALLS_UNDER_WAY = 5;

const [oldSecret, newSecret] = [random(), random()] as const;
const [oldKey, newKey] = [random(), random()] as const;

let site: Installation;
let deployment: Deployment;
let report: DeploymentReport;

async function start(env: Record<string, string>): Promise<void> {
  site = await startInstallation({
    processes: ['a', 'b'],
    env: () => ({
      ...DRAINING,
      SESSION_MAX_S: String(SESSION_MAX_S),
      SESSION_IDLE_S: String(SESSION_MAX_S),
      ...env,
    }),
    faults: { accessTokenLifetimeS: 5, refreshToken: 'rotate' },
  });
  deployment = await deploy(site, { staysMs: STAYS_MS });
  await delay(1_000);
}

function expectNobodyNoticed(): void {
  expect(report.failed).toEqual([]);
  expect(report.signOuts).toEqual([]);
  expect(report.reuse).toBe(0);
  expect(report.requests).toBeGreaterThan(300);
  expect(report.renewals).toBeGreaterThan(10);
}

describe.each([
  ['SESSION_SECRET', oldSecret, newSecret],
  ['TOKEN_ENCRYPTION_KEY', oldKey, newKey],
])('a new %s in three rolling deploys of two processes under load', (name, old, next) => {
  beforeAll(async () => {
    await start({ [name]: old });
    await deployment.roll({ [name]: `${old},${next}` });
    await deployment.roll({ [name]: `${next},${old}` });
    await delay(SESSION_MAX_S * 1000); // until no session is left that began before
    await deployment.roll({ [name]: next });
    await delay(1_000);
    report = await deployment.end();
    console.log(`${name}: ${JSON.stringify(report)}`);
  });
  afterAll(() => site.close());

  it('fails no request and signs nobody out', expectNobodyNoticed);
});

describe('a new GETBILL_CLIENT_SECRET on two processes under load', () => {
  const next = random();
  let fallbacks: number[];
  const both = [next, CLIENT_SECRET];
  beforeAll(async () => {
    await start({});
    const { control } = site.sandbox;
    const fallbacksSoFar = async (): Promise<number> =>
      (await site.audit('client_secret_fallback')).length;
    await deployment.roll({ GETBILL_CLIENT_SECRET: both.join() });
    fallbacks = [await fallbacksSoFar()];
    control.setClientSecrets(both);
    await delay(1_000);
    fallbacks.push(await fallbacksSoFar());
    control.setClientSecrets([next]);
    await deployment.roll({ GETBILL_CLIENT_SECRET: next });
    await delay(1_000);
    fallbacks.push(await fallbacksSoFar());
    report = await deployment.end();
    console.log(
      `GETBILL_CLIENT_SECRET: ${JSON.stringify(report)}; fallbacks: ${fallbacks.join(', ')}`,
    );
  });
  afterAll(() => site.close());

  it('fails no request and signs nobody out', expectNobodyNoticed);

  it('tries the old one only until GetBill takes the new one', () => {
    const [before = 0, overlapping = 0, after] = fallbacks;
    expect(before).toBeGreaterThan(0);
    expect(overlapping).toBeLessThanOrEqual(before + CALLS_UNDER_WAY);
    expect(after).toBe(overlapping);
  });
});

function random(): string {
  return randomBytes(32).toString('base64');
}
