import { readFileSync } from 'node:fs';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { healthy, runDoctor } from '../cli/support/run-doctor.js';
import { startNode, type RedisNode } from '../soak/support/redis-node.js';

const operations = readFileSync('docs/operations.md', 'utf8');
const rightsAfter = (pattern: RegExp): string[] => (pattern.exec(operations)?.[1] ?? '').split(' ');
const rights = rightsAfter(/^ACL SETUSER getbill on >password (.*)$/m);
const forWebhooks = rightsAfter(/^Webhooks need `([^`]+)` besides/m);

let sandbox: Sandbox;
let node: RedisNode;
beforeAll(async () => {
  sandbox = await startSandbox();
  node = await startNode(['appendonly yes']);
  await node.client.acl('SETUSER', 'getbill', 'on', '>password', ...rights, ...forWebhooks);
});
afterAll(async () => {
  await node.kill();
  await sandbox.close();
});

const examined = async (env = {}) =>
  await runDoctor({
    ...healthy(sandbox),
    REDIS_URL: `redis://getbill:password@127.0.0.1:${node.port}`,
    GETBILL_WEBHOOK_SECRET: 'aJ3kd92mfQpz81LwVt6rYx05bNcHgSeU',
    GETBILL_WEBHOOK_COMPANY: 'hTBN7n6lkmkhMb6LYqEBZw',
    ...env,
  });

describe('the doctor, where webhooks are on', () => {
  it('takes an event through an inbox of nobody, and leaves nothing behind', async () => {
    const { line, failed } = await examined();
    expect([line('webhook inbox')?.verdict, failed()]).toEqual(['pass', []]);
    expect(await node.client.keys('*webhook:*:doctor:*')).toEqual([
      expect.stringContaining('webhook:given-up:'), // which ends by itself
    ]);
  });

  it.each(forWebhooks)('names a Redis user that lacks %s', async (right) => {
    await node.client.acl('SETUSER', 'getbill', right.replace('+', '-'));
    try {
      const { line, failed } = await examined();
      expect(failed()).toEqual(['webhook inbox']);
      expect(line('webhook inbox')).toMatchObject({
        cause: 'this Redis user may not run the commands of the app (NOPERM)',
        fix: expect.stringContaining('docs/operations.md') as string,
      });
    } finally {
      await node.client.acl('SETUSER', 'getbill', right);
    }
  });

  it('names replicas that must have an event and are not there', async () => {
    await node.client.acl('SETUSER', 'getbill', '+wait');
    const { line } = await examined({ GETBILL_WEBHOOK_REPLICAS: '1' });
    expect(line('webhook inbox')).toMatchObject({
      verdict: 'fail',
      cause: expect.stringContaining('no replica of Redis takes an event') as string,
      fix: expect.stringContaining('GETBILL_WEBHOOK_REPLICAS') as string,
    });
  });
});
