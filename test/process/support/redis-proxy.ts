import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCutter, isPush, wordsOf } from './resp.js';

/**
 * `hold`: kept from Redis; `holdAnswer`: carried out, its answer kept; `fail`: answered with an error instead;
 * `cut`: carried out, then the connection ends instead of the answer; `watch`: only counted.
 */
export type Treatment = 'hold' | 'holdAnswer' | 'fail' | 'cut' | 'watch';
export type Matches = (words: readonly string[]) => boolean;

export interface Rule {
  /** Commands that were treated so far, and those that are held now. */
  seen(): number;
  held(): number;
  /** Lets go of what is held and treats nothing any more. */
  end(): void;
}

/** Stands between one process and Redis, so that the process can be met at a chosen step without a hook in it. */
export interface RedisProxy {
  /** For `REDIS_URL`. */
  url: string;
  treat(treatment: Treatment, matches: Matches, options?: { times?: number }): Rule;
  close(): Promise<void>;
}

interface Standing {
  matches: Matches;
  treatment: Treatment;
  left: number;
  seen: number;
  waiting: (() => void)[];
}

export async function startRedisProxy({ url }: { url: string }): Promise<RedisProxy> {
  const redisSocket = new URL(url).pathname;
  const folder = mkdtempSync(join(tmpdir(), 'gb-proxy-'));
  const path = join(folder, 'redis.sock');
  const rules: Standing[] = [];
  const clients = new Set<Socket>();

  function ruleFor(command: Buffer): Standing | undefined {
    const words = wordsOf(command);
    const rule = rules.find(({ left, matches }) => left > 0 && matches(words));
    if (rule === undefined) return undefined;
    rule.left -= 1;
    rule.seen += 1;
    return rule;
  }

  const server = createServer((client) => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
    joinUp(client, connect(redisSocket), ruleFor);
  });
  await new Promise<void>((resolve) => server.listen(path, () => resolve()));

  return {
    url: `unix://${path}`,
    treat(treatment, matches, { times = 1 } = {}) {
      const rule: Standing = { matches, treatment, left: times, seen: 0, waiting: [] };
      rules.push(rule);
      return {
        seen: () => rule.seen,
        held: () => rule.waiting.length,
        end() {
          rule.left = 0;
          for (const go of rule.waiting.splice(0)) go();
        },
      };
    },
    async close() {
      for (const client of clients) client.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const withoutProxy = ({ url }: { url: string }): RedisProxy => ({
  url,
  treat() {
    throw new Error('this installation was started without proxies');
  },
  close: () => Promise.resolve(),
});

interface Expected {
  answer?: Buffer | undefined;
  /** Resolves when the answer may be passed on. */
  free: Promise<void>;
  cut: boolean;
}

/** One connection. Commands and answers keep their order, so a held one holds those behind it, as a stalled network would. */
function joinUp(
  client: Socket,
  redis: Socket,
  ruleFor: (command: Buffer) => Standing | undefined,
): void {
  const expected: Expected[] = [];
  let commands = Promise.resolve();
  let answers = Promise.resolve();
  const end = (): void => {
    client.destroy();
    redis.destroy();
  };
  const untilFree = (rule: Standing): Promise<void> =>
    new Promise((resolve) => rule.waiting.push(resolve));

  async function take(command: Buffer): Promise<void> {
    const rule = ruleFor(command);
    if (rule?.treatment === 'hold') await untilFree(rule);
    if (client.destroyed) return; // whoever sent it is gone: it never reaches Redis
    const free = rule?.treatment === 'holdAnswer' ? untilFree(rule) : Promise.resolve();
    if (rule?.treatment === 'fail') {
      expected.push({ answer: Buffer.from('-ERR refused by the test\r\n'), free, cut: false });
      return passOn();
    }
    expected.push({ free, cut: rule?.treatment === 'cut' });
    redis.write(command);
  }

  /** Passes on what is answered, up to the first command that is not. */
  function passOn(): void {
    for (let first = expected[0]; first?.answer !== undefined; first = expected[0]) {
      const { answer, free, cut } = first;
      expected.shift();
      answers = answers
        .then(() => free)
        .then(() => void (cut ? end() : client.writable && client.write(answer)));
    }
  }

  client.on('data', createCutter((command) => void (commands = commands.then(() => take(command))))); // prettier-ignore
  redis.on('data', createCutter((value) => {
      if (isPush(value)) return void client.write(value);
      const open = expected.find(({ answer }) => answer === undefined);
      if (open !== undefined) open.answer = value;
      passOn();
    })); // prettier-ignore
  for (const socket of [client, redis]) socket.on('error', end).on('close', end);
}
