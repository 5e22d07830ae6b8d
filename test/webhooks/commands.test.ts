import { once } from 'node:events';
import { createServer } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { addWebhookCommands } from '../../src/webhooks/commands.js';
import { signatureOf } from '../../src/webhooks/signature.js';
import { until } from '../support/until.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const SECRET = 'CANARY-webhook-secret-0123456789';
let redis: RedisServer;
let app: TestApp;
beforeAll(async () => {
  redis = await startRedis();
  app = await startTestApp({
    env: {
      REDIS_URL: redis.url,
      GETBILL_WEBHOOK_SECRET: SECRET,
      GETBILL_WEBHOOK_COMPANY: 'company-1',
    },
  });
});
afterAll(async () => {
  await app.close();
  await redis.close();
});

const run = (...args: string[]): Promise<string> => runAt(app, args);
async function runAt({ services }: TestApp, args: string[]): Promise<string> {
  const lines: string[] = [];
  const program = new Command('getbill')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  const say = (text: string): void => void lines.push(text);
  addWebhookCommands(program, {
    print: say,
    tell: say,
    config: () => Promise.resolve(services.config),
    now: Date.now,
  });
  await program.parseAsync(['webhooks', ...args], { from: 'user' });
  return lines.join('\n');
}
const handled = () => app.events.filter(({ type }) => type === 'webhook_handled').length;

it('webhooks are sent, listed, handled again and explained on the command line', async () => {
  expect(await run('list')).toBe('no webhook has come in');
  expect(await run('trigger', 'debt.updated', '--data', '{"id":"d1"}', '--url', app.origin)).toBe(
    '200 OK',
  );
  await until('it is handled', () => handled() === 1);
  const list = await run('list');
  expect(list).toMatch(/^\d+-\d+ {2}\d{4}-\S+Z {2}handled {2}debt\.updated {2}d1$/);
  await run('replay', list.split(' ')[0] ?? '');
  await until('it is handled again', () => handled() === 2);
  await expect(run('replay', '1-1')).rejects.toThrow('there is no webhook 1-1');
  await expect(run('list', '--endpoint', 'other')).rejects.toMatchObject({
    problems: ['GETBILL_WEBHOOK_ENDPOINTS has no entry other'],
  });

  const folder = mkdtempSync(join(tmpdir(), 'gb-webhook-'));
  const file = join(folder, 'body.json');
  writeFileSync(file, '{"type":"debt.updated"}\n');
  const signature = signatureOf(Buffer.from('{"type":"debt.updated"}'), SECRET);
  await expect(run('explain', '--body', file, '--signature', signature)).rejects.toThrow(
    'does not fit',
  );
  writeFileSync(file, '{"type":"debt.updated"}');
  expect(await run('explain', '--body', file, '--signature', signature)).toBe(
    'The signature fits these bytes.',
  );
  await expect(run('explain', '--body', `${file}.gone`, '--signature', signature)).rejects.toThrow(
    'cannot be read',
  );
  rmSync(folder, { recursive: true });
});

it.each(['time', 'meta.sent.at', 'data.at'])(
  'a webhook is sent with the present time at GETBILL_WEBHOOK_TIME_FIELD=%s, so the app takes it',
  async (field) => {
    const timed = await startTestApp({
      env: {
        GETBILL_WEBHOOK_SECRET: SECRET,
        GETBILL_WEBHOOK_COMPANY: 'company-1',
        GETBILL_WEBHOOK_TIME_FIELD: field,
      },
    });
    try {
      const trigger = ['trigger', 'debt.updated', '--url', timed.origin, '--data'];
      expect(await runAt(timed, [...trigger, '{"id":"d1"}'])).toBe('200 OK');
      const old = '{"id":"d1","at":"2020-01-01T00:00:00Z"}';
      if (field === 'data.at')
        await expect(runAt(timed, [...trigger, old])).rejects.toThrow('answered 400');
    } finally {
      await timed.close();
    }
  },
);

it('a webhook that is not taken says what to do', async () => {
  const refused = async (env: Record<string, string>, ...args: string[]): Promise<unknown> => {
    const other = await startTestApp({ env });
    const trigger = ['trigger', 'debt.updated', '--url', other.origin];
    return await run(...trigger, ...args)
      .catch((error: unknown) => (error as { hint?: string }).hint)
      .finally(() => other.close());
  };
  const endpoint = { GETBILL_WEBHOOK_SECRET: SECRET, GETBILL_WEBHOOK_COMPANY: 'company-1' };
  const another = { ...endpoint, GETBILL_WEBHOOK_SECRET: 'CANARY-another-secret-0123456789' };
  expect(await refused({})).toContain('set GETBILL_WEBHOOK_SECRET there');
  expect(await refused(another)).toContain('the app has another secret');
  expect(await refused(endpoint, '--data', '[]')).toContain('its data is an object');
  const unreachable = run('trigger', 'debt.updated', '--url', 'http://127.0.0.1:1');
  const hint: unknown = expect.stringContaining('start the app');
  await expect(unreachable).rejects.toMatchObject({ hint });
});

it.each([
  [['trigger', 'debt.updated', '--data', '{'], 'It is not JSON'],
  [['trigger', 'debt.updated', '--url', 'localhost:3000'], 'It is no origin such as http://'],
  [['trigger', 'debt.updated', '--url', 'ftp://localhost'], 'It is no origin such as http://'],
  [['explain', '--signature', 'x', '--body', '/no/such/file'], 'It cannot be read'],
])('a command line that is wrong is that, and no answer of GetBill: %j', async (args, words) => {
  await expect(run(...args)).rejects.toMatchObject({
    name: 'CommanderError',
    message: expect.stringContaining(words) as string,
  });
});

it('a webhook that is refused keeps the status of the refusal', async () => {
  const { origin } = app.sandbox; // GetBill takes no webhooks
  await expect(run('trigger', 'debt.updated', '--url', origin)).rejects.toMatchObject({
    status: 404,
  });
});

it('an app that breaks off in the middle of its response did not respond', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nO');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await expect(
    run('trigger', 'debt.updated', '--url', `http://127.0.0.1:${port}`),
  ).rejects.toMatchObject({ status: 502 });
  server.close();
});
