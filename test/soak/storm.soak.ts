import { startInstallation, type Installation } from '../process/support/installation.js';
import { createCaller, storm, sum, type StormNumbers } from '../process/support/storm.js';

const CALLS = 300;
const EXPIRIES = 100;

let site: Installation;
const storms: StormNumbers[] = [];

beforeAll(async () => {
  site = await startInstallation({ processes: ['a', 'b', 'c'], env: () => ({ GETBILL_TIMEOUT_MS: '10000' }) });
  const caller = await createCaller(site, await site.signIn());
  for (let round = 0; round < EXPIRIES; round++) {
    const options = { calls: CALLS, spreadMs: 20 + Math.random() * 300, random: Math.random };
    storms.push(await storm(site, caller, { diesBy: 'now', oldAccessTokenDies: round % 2 === 0 }, options));
  }
  const { storms: expiries, ...numbers } = sum(storms);
  console.log(`${expiries} expiries, 3 processes: ${JSON.stringify(numbers)}`);
});
afterAll(() => site.close());

it('[immunity 2] renews exactly once for each of 100 expiries with jitter, without a reuse or a sign-out', () => {
  expect(storms.map(({ refreshes }) => refreshes)).toEqual(storms.map(() => 1));
  expect(storms.map(({ answered }) => answered)).toEqual(storms.map(() => ({ 200: (CALLS * 4) / 5, 201: CALLS / 5 })));
  expect(sum(storms).reuse).toBe(0);
  expect(site.audit('session_ended')).toEqual([]);
});
