import { startInstallation, type Installation } from './support/installation.js';
import { createCaller, storm, sum, type StormNumbers } from './support/storm.js';

jest.setTimeout(120_000); // processes have to start, on a machine that may be busy

const CALLS = 300;

let site: Installation<'a' | 'b' | 'c'>;
const storms: StormNumbers[] = [];

beforeAll(async () => {
  site = await startInstallation({
    processes: ['a', 'b', 'c'],
    env: () => ({ GETBILL_TIMEOUT_MS: '10000' }),
    faults: { accessTokenLifetimeS: 4 },
  });
  const { control } = site.sandbox;
  const options = { calls: CALLS, spreadMs: 100, random: Math.random };
  const [watching, waiting] = [await site.signIn(), await site.signIn()];
  const diesBy = Date.now() + 4_000;
  control.set({ accessTokenLifetimeS: 3600 });
  const callNo = await createCaller(site, await site.signIn());
  const callAgain = await createCaller(site, watching);
  const callLater = await createCaller(site, waiting);
  for (let round = 0; round < 4; round++) {
    storms.push(
      await storm(site, callNo, { diesBy: 'now', oldAccessTokenDies: round % 2 === 0 }, options),
    );
    if (round === 0)
      storms.push(await storm(site, callAgain, { diesBy, oldAccessTokenDies: true }, options));
  }
  storms.push(await storm(site, callLater, { diesBy, oldAccessTokenDies: false }, options));
  const { storms: expiries, ...numbers } = sum(storms);
  console.log(`${expiries} expiries, 3 processes: ${JSON.stringify(numbers)}`);
});
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

  it('sign nobody out', async () => {
    expect(await site.audit('session_ended')).toEqual([]);
  });
});
