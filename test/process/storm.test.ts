import { startInstallation, type Installation } from './support/installation.js';
import { createCaller, storm, sum, type StormNumbers } from './support/storm.js';

const CALLS = 300;
const PROCESSES = 3;

let site: Installation;
const storms: StormNumbers[] = [];

beforeAll(async () => {
  site = await startInstallation({
    processes: PROCESSES,
    env: { REFRESH_MARGIN_S: '1', GETBILL_TIMEOUT_MS: '10000' },
    faults: { accessTokenLifetimeS: 5 },
  });
  const callNo = await createCaller(site, await site.signIn());
  const options = { calls: CALLS, spreadMs: 100, random: Math.random };
  storms.push(await storm(site, callNo, { kind: 'expired', oldAccessTokenDies: true }, options));
  storms.push(await storm(site, callNo, { kind: 'expired', oldAccessTokenDies: false }, options));
  site.sandbox.control.set({ accessTokenLifetimeS: 3600 });
  site.sandbox.control.expireAccessTokens();
  await callNo(0);
  for (let round = 0; round < 8; round++) {
    storms.push(await storm(site, callNo, { kind: 'rejected', oldAccessTokenDies: round % 2 === 0 }, options));
  }
  const { storms: expiries, ...numbers } = sum(storms);
  console.log(`${expiries} expiries, ${PROCESSES} processes: ${JSON.stringify(numbers)}`);
}, 60_000);
afterAll(() => site.close());

describe('[immunity 2] 300 parallel calls over three processes at the moment of expiry', () => {
  it('make exactly one refresh per expiry', () => {
    expect(storms.map(({ refreshes }) => refreshes)).toEqual(storms.map(() => 1));
  });

  it('are all answered, POSTs included', () => {
    const answered = { 200: (CALLS * 4) / 5, 201: CALLS / 5 };
    expect(storms.map((one) => one.answered)).toEqual(storms.map(() => answered));
  });

  it('never send a refresh token twice', () => {
    expect(sum(storms).reuse).toBe(0);
  });

  it('sign nobody out', () => {
    expect(site.audit('session_ended')).toEqual([]);
  });
});
