import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** The demo on ports that nobody else has. */
export interface RunningDemo {
  app: string;
  sandbox: string;
  stop(): void;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

export async function startDemo(): Promise<RunningDemo> {
  const [port, sandboxPort] = [await freePort(), await freePort()];
  const demo = spawn(process.execPath, ['--import', 'tsx', 'scripts/demo.ts'], {
    env: { ...process.env, PORT: String(port), SANDBOX_PORT: String(sandboxPort) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    demo.stdout.on('data', (text: Buffer) => {
      if (text.includes('Things to try')) resolve();
    });
    demo.once('exit', () => {
      reject(new Error('the demo did not start'));
    });
  });
  return {
    app: `http://localhost:${port}`,
    sandbox: `http://localhost:${sandboxPort}`,
    stop: () => void demo.kill('SIGTERM'),
  };
}
