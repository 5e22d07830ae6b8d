import { setTimeout as delay } from 'node:timers/promises';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { steadily } from '../process/support/steadily.js';
import type { Visitor } from '../process/support/visitor.js';
import { createRandom } from '../renewal/model/random.js';

const DURATION_MS = 60_000;
const seed = Number(process.env['SEED'] ?? Date.now());

let site: Installation<'a' | 'b' | 'c'>;
let visitors: Visitor[];
beforeAll(async () => {
  site = await startInstallation({
    processes: ['a', 'b', 'c'],
    env: () => ({ GETBILL_TIMEOUT_MS: '1000' }), // a lease of four seconds
    faults: { accessTokenLifetimeS: 2, refreshToken: 'keep' },
  });
  visitors = [await site.signIn(), await site.signIn(), await site.signIn()];
});
afterAll(() => site.close());

describe('[immunity 3] processes that are stopped at random moments, for up to six seconds', () => {
  it('sign nobody out', async () => {
    const generator = createRandom(seed);
    const random = (): number => generator.next();
    const endsAtMs = performance.now() + DURATION_MS;
    const isOver = (): boolean => performance.now() > endsAtMs;
    let stops = 0;
    const stopAndGo = async (): Promise<void> => {
      while (!isOver()) {
        await delay(random() * 1_000);
        const app = site.all[Math.floor(random() * site.all.length)];
        app?.signal('SIGSTOP');
        stops++;
        await delay(random() * 6_000);
        app?.signal('SIGCONT');
      }
    };
    const calls = visitors.map((visitor) =>
      steadily(site, visitor, { everyMs: 50, enough: isOver }),
    );
    await stopAndGo();
    const answers = (await Promise.all(calls)).flat();

    const counts = new Map<number, number>();
    for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1);
    const { refreshOk } = site.sandbox.control.state().counters;
    console.log(
      `seed ${seed}: ${stops} stops, ${refreshOk} refreshes, answers ${JSON.stringify([...counts])}`,
    );
    expect(await site.audit('session_ended')).toEqual([]);
    expect(answers.filter(({ text }) => text.includes('login_url'))).toEqual([]);
    const last = await Promise.all(
      visitors.flatMap((visitor) => site.all.map((app) => visitor.profile(app))),
    );
    expect(last.map(({ status }) => status)).toEqual(last.map(() => 200));
  });
});
