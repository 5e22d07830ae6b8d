import { startInstallation, type Installation } from '../process/support/installation.js';
import { createCaller, storm, sum, type StormNumbers } from '../process/support/storm.js';
import { createRandom } from '../renewal/model/random.js';

const EXPIRIES = 100;
const CALLS = 300;
const seed = Number(process.env['SEED'] ?? Date.now());

let site: Installation;
const storms: StormNumbers[] = [];

beforeAll(async () => {
  const generator = createRandom(seed);
  const random = (): number => generator.next();
  site = await startInstallation({ processes: ['a', 'b', 'c'] });
  const { control } = site.sandbox;
  const callers = [
    await createCaller(site, await site.signIn()),
    await createCaller(site, await site.signIn()),
  ];

  for (let round = 0; round < EXPIRIES; round++) {
    const callNo =
      callers[round % callers.length] ?? (() => Promise.reject(new Error('nobody calls')));
    const byClock = round % 10 === 9;
    if (byClock) {
      control.set({ accessTokenLifetimeS: 3 });
      control.expireAccessTokens();
      for (let process = 0; process < site.all.length; process++) await callNo(process); // all have the new token
    }
    const diesBy = byClock ? Date.now() + 3_000 : 'now';
    control.set({ accessTokenLifetimeS: 3600 });
    const options = { calls: CALLS, spreadMs: random() * 400, random };
    storms.push(await storm(site, callNo, { diesBy, oldAccessTokenDies: random() < 0.5 }, options));
  }
  const { storms: expiries, ...numbers } = sum(storms);
  console.log(`seed ${seed}: ${expiries} expiries, 3 processes: ${JSON.stringify(numbers)}`);
});
afterAll(() => site.close());

describe(`[immunity 2] ${EXPIRIES} expiries under ${CALLS} parallel calls over three processes`, () => {
  it('take as many refreshes', () => {
    expect(storms.map(({ refreshes }) => refreshes)).toEqual(storms.map(() => 1));
  });

  it('leave no call unanswered', () => {
    expect(sum(storms).answered).toEqual({
      200: (EXPIRIES * CALLS * 4) / 5,
      201: (EXPIRIES * CALLS) / 5,
    });
  });

  it('spend no refresh token twice, sign nobody out', async () => {
    expect(site.sandbox.control.state().counters.refreshReuse).toBe(0);
    expect(await site.audit('session_ended')).toEqual([]);
  });
});
