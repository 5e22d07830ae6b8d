import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { optionsFrom } from '../../sandbox/options.js';
import { send } from './helpers.js';

// A process of its own starts slowly on a busy machine.
jest.setTimeout(60_000);

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** The command as it is run; the first line of what it says on either stream. */
function run(env: Record<string, string>) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'sandbox/main.ts'], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const firstLine = (stream: typeof child.stdout) =>
    new Promise<string>((resolve) => createInterface(stream).once('line', resolve));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, out: firstLine(child.stdout), err: firstLine(child.stderr), exited };
}

describe('the sandbox command', () => {
  it('says where it is, answers /healthz and closes on SIGTERM', async () => {
    const { child, out, exited } = run({ SANDBOX_PORT: '0' });
    const [, origin = ''] = /^sandbox GetBill on (http:\/\/localhost:\d+)$/m.exec(await out) ?? [];
    const health = await send(`${origin}/healthz`);
    expect([health.status, health.text]).toEqual([200, '{"status":"ok"}']);
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  });

  it('names the port that is taken, and SANDBOX_PORT', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const port = String((taken.address() as AddressInfo).port);
    const { err, exited } = run({ SANDBOX_PORT: port });
    expect(await err).toMatch(new RegExp(`port ${port} is taken.*SANDBOX_PORT`));
    expect(await exited).toBe(1);
    taken.close();
  });
});

describe('its variables', () => {
  it('have defaults', () => {
    expect(optionsFrom({})).toEqual({ host: '127.0.0.1', port: 4000 });
  });

  it('are lists where several values make sense', () => {
    const options = optionsFrom({
      SANDBOX_CLIENT_SECRET: 'new, old',
      SANDBOX_REDIRECT_URIS: 'http://a/cb,http://b/cb',
    });
    expect(options).toMatchObject({
      clientSecrets: ['new', 'old'],
      redirectUris: ['http://a/cb', 'http://b/cb'],
    });
  });

  it('keep it on loopback unless that is said to be meant', () => {
    expect(() => optionsFrom({ SANDBOX_HOST: '0.0.0.0' })).toThrow('SANDBOX_ALLOW_NON_LOOPBACK');
    const meant = optionsFrom({ SANDBOX_HOST: '0.0.0.0', SANDBOX_ALLOW_NON_LOOPBACK: 'true' });
    expect(meant.host).toBe('0.0.0.0');
  });

  it.each(['x', '70000', '-1', '1.5'])('refuse the port %s', (port) => {
    expect(() => optionsFrom({ SANDBOX_PORT: port })).toThrow('SANDBOX_PORT');
  });
});
