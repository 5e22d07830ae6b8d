import { setTimeout as delay } from 'node:timers/promises';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { deploy, DRAINING, type DeploymentReport } from './support/deployment.js';

let site: Installation;
let exitCodes: (number | null)[];
let report: DeploymentReport;

beforeAll(async () => {
  site = await startInstallation({
    processes: ['a', 'b', 'c'],
    env: () => DRAINING,
    faults: { accessTokenLifetimeS: 5, refreshToken: 'rotate' },
  });
  const deployment = await deploy(site);
  await delay(2_000);
  exitCodes = await deployment.roll();
  await delay(2_000);
  report = await deployment.end();
  console.log(JSON.stringify(report));
});
afterAll(() => site.close());

describe('three processes behind a balancer, restarted one after another while people sign in, read, write and sign out', () => {
  it('fail no request', () => {
    expect(report.failed).toEqual([]);
    expect(report.requests).toBeGreaterThan(300);
  });

  it('sign nobody out, although tokens are renewed all the time', () => {
    expect(report.signOuts).toEqual([]);
    expect(report.renewals).toBeGreaterThan(10);
    expect(report.reuse).toBe(0);
  });

  it('exit with 0, one after another', () => {
    expect(exitCodes).toEqual([0, 0, 0]);
  });
});
