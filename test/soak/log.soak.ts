import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REQUEST_LINE } from '../../src/events.js';
import { createLogOutput } from '../../src/telemetry/log-output.js';
import { openSocket, rawRequest } from '../proxy/support/raw-http.js';
import { freePort } from '../support/free-port.js';
import { buildApp, type AppBuild } from '../process/support/app-build.js';
import { environment } from '../process/support/environment.js';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { until } from '../support/until.js';

jest.setTimeout(120_000); // processes have to start, on a machine that may be busy

const METRICS_TOKEN = 'metrics-token-of-this-test';
const HEAD = ['Host: connect.example', 'X-Forwarded-Proto: https'];

let site: Installation<'killed'>;
let build: AppBuild;
beforeAll(async () => {
  site = await startInstallation({ processes: ['killed'] });
  build = buildApp();
});
afterAll(async () => {
  build.remove();
  await site.close();
});

/** Thirty responses of one connection. */
async function thirtyRequests(origin: string, path: string): Promise<void> {
  const socket = openSocket(origin).resume();
  const requests = Array.from({ length: 30 }, (_, index) =>
    rawRequest('GET', path, [...HEAD, ...(index === 29 ? ['Connection: close'] : [])]),
  );
  socket.write(Buffer.concat(requests));
  await once(socket, 'close');
}

async function startWithLogTo(
  stdout: 'pipe' | number,
): Promise<{ child: ChildProcess; origin: string }> {
  const port = await freePort();
  const env = {
    ...environment(site.sandbox),
    REDIS_URL: site.redis.url,
    PORT: String(port),
    METRICS_TOKEN,
    GETBILL_TIMEOUT_MS: '1000',
  };
  const child = spawn(process.execPath, [build.main], { env, stdio: ['ignore', stdout, 'ignore'] });
  const origin = `http://127.0.0.1:${port}`;
  const isUp = (): Promise<boolean> => fetch(`${origin}/healthz`).then(({ ok }) => ok, () => false); // prettier-ignore
  await until('it serves', isUp, { withinMs: 60_000 });
  return { child, origin };
}

async function expectToServeAndStop({
  child,
  origin,
}: {
  child: ChildProcess;
  origin: string;
}): Promise<void> {
  try {
    for (let times = 0; times < 20; times += 1) await thirtyRequests(origin, '/login');
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    child.kill('SIGTERM');
    await until('it has exited', () => child.exitCode !== null);
    expect(child.exitCode).toBe(0);
  } finally {
    child.kill('SIGKILL');
  }
}

describe('a log that cannot be written', () => {
  it('because nobody reads its pipe, holds up neither the app nor its stop', async () => {
    const { child, origin } = await startWithLogTo('pipe');
    child.stdout?.pause();
    await expectToServeAndStop({ child, origin });
  });

  it('because its disk is full, holds up neither the app nor its stop', async () => {
    const full = openSync('/dev/full', 'w');
    const app = await startWithLogTo(full);
    closeSync(full);
    await expectToServeAndStop(app);
  });
});

describe('a process that is killed', () => {
  it('has written every line of what it has responded to, in order', async () => {
    const { killed } = site.apps;
    await Promise.all(Array.from({ length: 10 }, () => thirtyRequests(killed.origin, '/login')));
    killed.signal('SIGKILL');
    await killed.exited;
    const lines = killed.log().split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, string>); // prettier-ignore
    expect(lines.filter(({ type }) => type === 'login_started')).toHaveLength(300);
    const times = lines.map(({ time }) => time);
    expect(times).toEqual([...times].sort());
  });
});

describe('what waits to be written', () => {
  const line = (index: number): string =>
    `${JSON.stringify({ index, filler: 'x'.repeat(1_000) })}\n`;

  it('is bounded, drops request lines first, keeps the order, and says how many are missing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gb-fifo-'));
    const path = join(folder, 'log');
    spawnSync('mkfifo', [path]);
    const readFrom = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writeTo = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      let dropped = 0;
      const output = createLogOutput({ fd: writeTo, onDropped: () => (dropped += 1) });
      const write = (message: string, from: number, count: number): void => {
        Object.assign(output, { lastMsg: message });
        for (let index = from; index < from + count; index += 1) output.write(line(index));
      };
      write(REQUEST_LINE, 0, 3_000);
      expect(dropped).toBeGreaterThan(1_500);
      const droppedRequests = dropped;
      write('login_started', 3_000, 1_000);
      expect(dropped).toBe(droppedRequests);
      write('login_started', 4_000, 10_000);
      expect(dropped).toBeGreaterThan(droppedRequests);

      let text = '';
      const chunk = Buffer.alloc(1024 * 1024);
      await until('the missing lines are reported', () => {
        try {
          text += chunk.toString('utf8', 0, readSync(readFrom, chunk));
        } catch {
          // empty: EAGAIN
        }
        return text.includes('log lines dropped');
      });
      const lines = text.trimEnd().split('\n').map((one) => JSON.parse(one) as { index?: number; dropped?: number }); // prettier-ignore
      expect(lines.at(-1)).toMatchObject({ level: 40, dropped });
      const indexes = lines.slice(0, -1).map(({ index }) => Number(index));
      expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
      expect(indexes).toHaveLength(13_000 + 1_000 - dropped);
    } finally {
      closeSync(readFrom);
      closeSync(writeTo);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
