import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { percentile } from '../process/support/steadily.js';
import { until } from '../support/until.js';
import type { TimedAnswer, Visitor } from '../process/support/visitor.js';
import { PAGE } from './support/people.js';
import { startSandboxApart, type SandboxApart } from './support/sandbox-apart.js';

const HOSTILE_S = Number(process.env['HOSTILE_S'] ?? 120);
const METRICS_TOKEN = 'metrics-token-of-this-test';
const TIMEOUT_MS = 10_000; // the default of GETBILL_TIMEOUT_MS

/** SIGUSR2 collects garbage, so that what is measured afterwards is what is held. */
const COLLECT = encodeURIComponent(`
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  process.on('SIGUSR2', () => collect());
`);

let getbill: SandboxApart;
let site: Installation<'app'>;
let people: Visitor[];
let hostile: Visitor;
beforeAll(async () => {
  getbill = await startSandboxApart();
  site = await startInstallation({
    processes: ['app'],
    env: () => ({
      ...getbill.env,
      METRICS_TOKEN,
      RATE_LIMIT_PAGES: '120',
      NODE_OPTIONS: `--import=data:text/javascript,${COLLECT}`,
    }),
  });
  people = [];
  for (let index = 0; index < 10; index += 1) people.push(await site.signIn({ company: 'b' }).catch(() => site.signIn())); // prettier-ignore
  hostile = await site.signIn();
});
afterAll(async () => {
  await site.close();
  await getbill.close();
});

async function heldMb(): Promise<number> {
  for (let times = 0; times < 3; times += 1) {
    site.apps.app.signal('SIGUSR2');
    await delay(300);
  }
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
  const { text } = await site.stranger.call(site.apps.app, '/metrics', { headers });
  const valueOf = (name: string): number =>
    Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  return (
    (valueOf('nodejs_heap_size_used_bytes') + valueOf('nodejs_external_memory_bytes')) / 1024 / 1024
  );
}

type Timing = Pick<TimedAnswer, 'status' | 'ms'>;

/** Each person asks twice a second, in turn for data and for a page. */
async function work(isOver: () => boolean): Promise<Timing[]> {
  const { app } = site.apps;
  const timings: Promise<Timing>[] = [];
  for (let turn = 0; !isOver(); turn += 1) {
    const person = people[turn % people.length];
    if (person === undefined) break;
    const answer = turn % 3 === 0 ? person.call(app, '/connection', PAGE) : person.profile(app);
    timings.push(answer.then(({ status, ms }) => ({ status, ms }))); // the texts would be garbage to collect
    await delay(50);
  }
  return await Promise.all(timings);
}

async function workFor(ms: number): Promise<Timing[]> {
  const endsAtMs = performance.now() + ms;
  return await work(() => performance.now() > endsAtMs);
}

const countByStatus = (answers: readonly Timing[]): Record<number, number> =>
  answers.reduce<Record<number, number>>(
    (all, { status }) => ({ ...all, [status]: (all[status] ?? 0) + 1 }),
    {},
  );

function startHostileClients(
  csrfToken: string,
  seconds: number,
): { child: ChildProcess; report: Promise<string> } {
  const script = 'test/soak/support/hostile-clients.ts';
  // With the lowest priority: in the field they have machines of their own.
  const args = [
    '-n',
    '19',
    process.execPath,
    '--import',
    'tsx',
    script,
    site.apps.app.origin,
    String(seconds),
    hostile.cookie,
    csrfToken,
  ];
  const child = spawn('nice', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const report = new Promise<string>((resolve) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.once('exit', () => {
      resolve(text);
    });
  });
  return { child, report };
}

describe('clients that pipeline and hang up, never read, never finish, and ask without end', () => {
  it('leave ten people their speed, the process its memory, and a stop its time', async () => {
    const { app } = site.apps;
    await workFor(3_000); // warm
    const beforeMb = await heldMb();
    await workFor(3_000); // again: what is not used is forgotten when garbage is collected
    const alone = await workFor(Math.min(HOSTILE_S, 30) * 1000);

    await getbill.control({
      api: [
        { mode: 'slow', ms: 5_000, times: 0, path: '/debts' },
        { mode: 'status', status: 422, times: 0, path: '/followups' },
      ],
    });
    const csrfToken = await hostile.csrfToken(app);
    const attack = startHostileClients(csrfToken, HOSTILE_S);
    const beside = await workFor(HOSTILE_S * 1000);
    const sent = await attack.report;
    await getbill.control('reset');
    const afterMb = await until('memory is back', async () => (await heldMb()) < beforeMb + 20, { withinMs: 60_000 })
      .then(heldMb, heldMb); // prettier-ignore

    const second = startHostileClients(csrfToken, 60);
    await delay(3_000);
    const stopMs = performance.now();
    app.signal('SIGTERM');
    const { code } = await app.exited;
    const stoppedAfterMs = performance.now() - stopMs;
    second.child.kill('SIGKILL');

    const figures = {
      sent: JSON.parse(sent) as object,
      p50: { alone: Math.round(percentile(alone, 50)), beside: Math.round(percentile(beside, 50)) },
      p99: { alone: Math.round(percentile(alone, 99)), beside: Math.round(percentile(beside, 99)) },
      statuses: countByStatus(beside),
      heldMb: { before: Math.round(beforeMb), after: Math.round(afterMb) },
      stoppedAfterMs: Math.round(stoppedAfterMs),
    };
    console.log(JSON.stringify(figures, null, 2));
    expect(Object.keys(figures.statuses)).toEqual(['200']);
    expect(afterMb).toBeLessThan(beforeMb + 20);
    expect(code).toBe(0);
    expect(stoppedAfterMs).toBeLessThan(TIMEOUT_MS + 3_000); // DRAIN_DELAY_S is 0 here
    // Load, people, GetBill and Redis share two cores with the process: what passes in 30 ms counts as unhindered.
    expect(figures.p99.beside).toBeLessThanOrEqual(Math.max(2 * figures.p99.alone, 30));
  });
});
