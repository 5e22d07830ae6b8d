import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { startSandbox } from '../../sandbox/sandbox.js';
import { startTestApp } from '../support/test-app.js';

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** `npm run demo` that is expected to end by itself. `preload`: code that runs before it. */
async function demo(env: Record<string, string>, preload = ''): Promise<Ended> {
  const preloaded = `data:text/javascript,${encodeURIComponent(preload)}`;
  const args = ['--import', 'tsx', '--import', preloaded, 'scripts/demo.ts'];
  const child = spawn(process.execPath, args, { env: { PATH: process.env['PATH'] ?? '', ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

async function listen(server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return String((server.address() as AddressInfo).port);
}

describe('a demo that cannot start', () => {
  it('beside a running one names both ports, what answers there, and free ones, once', async () => {
    const sandbox = await startSandbox();
    const app = await startTestApp({ sandbox });
    try {
      const [PORT, SANDBOX_PORT] = [new URL(app.origin).port, new URL(sandbox.origin).port];
      const { code, stdout, stderr } = await demo({ PORT, SANDBOX_PORT });
      expect(code).toBe(1);
      expect(stdout).toBe('');
      const lines = stderr.trim().split('\n');
      expect(lines).toHaveLength(4);
      expect(lines[1]).toContain(`port ${PORT} (PORT, the app) is taken by GetBill Connect`);
      expect(lines[2]).toContain(
        `port ${SANDBOX_PORT} (SANDBOX_PORT, the sandbox) is taken by a GetBill sandbox`,
      );
      expect(lines[3]).toMatch(/These ports are free: PORT=\d+ SANDBOX_PORT=\d+ npm run demo$/);
      for (const taken of [`=${PORT} `, `=${SANDBOX_PORT} `]) expect(lines[3]).not.toContain(taken);
    } finally {
      await app.close();
      await sandbox.close();
    }
  });

  it('names one port that another program has, and keeps the other in its advice', async () => {
    const server = createServer((_req, res) => void res.end('hello'));
    const PORT = await listen(server);
    const { stderr } = await demo({ PORT, SANDBOX_PORT: '45991' });
    server.close();
    expect(stderr).toContain(
      `port ${PORT} (PORT, the app) is taken by another program, which speaks http`,
    );
    expect(stderr).toContain('SANDBOX_PORT=45991');
  });

  it.each([
    ['abc', 'PORT is "abc", which is no port'],
    ['70000', 'PORT is "70000", which is no port'],
    ['0', 'PORT is "0", which is no port'],
    ['4000', 'PORT and SANDBOX_PORT are both 4000'],
  ])('with PORT=%s says so', async (PORT, line) => {
    const { code, stdout, stderr } = await demo({ PORT, SANDBOX_PORT: '4000' });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(line);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('under an older Node says in three lines which one it needs', async () => {
    const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.8' } })`;
    const { code, stdout, stderr } = await demo({}, older);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^The demo needs Node 20\.\d+\.\d+ or newer, and this is Node 18\.20\.8\.\n.*\n.*npm run demo\n$/,
    );
  });
});
