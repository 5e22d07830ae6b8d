import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultClientId, defaultClientSecret, type Sandbox } from '../../../sandbox/sandbox.js';
import { createBrowser, type Browser } from '../../support/browser.js';
import { freePort } from '../../support/free-port.js';

export interface SteeredProcess {
  origin: string;
  /** Keeps its cookies; `like` starts with those of another browser. */
  browser(options?: { like: Browser }): Browser;
  /** Moves the clock of the process, or makes every write of tokens fail. */
  steer(message: { skipMs?: number; writesFail?: boolean }): Promise<void>;
  kill(): void;
}

/** Runs `file`, an app that prints a line when it listens, as a client of the sandbox. */
export async function startSteered({
  file,
  sandbox,
  typescript,
  env,
}: {
  file: string;
  sandbox: Sandbox;
  typescript: boolean;
  env: Record<string, string>;
}): Promise<SteeredProcess> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  sandbox.control.addRedirectUri(`${origin}/oauth/callback`);
  const preload = pathToFileURL(resolve('test/examples/support/steered.mjs')).href;
  const child = spawn(
    process.execPath,
    [...(typescript ? ['--import', 'tsx'] : []), '--import', preload, file],
    {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: {
        PATH: process.env['PATH'],
        PORT: String(port),
        GETBILL_BASE_URL: sandbox.origin,
        GETBILL_CLIENT_ID: defaultClientId,
        GETBILL_CLIENT_SECRET: defaultClientSecret,
        SESSION_SECRET: 'a-session-secret-of-the-tests-0123456789',
        TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
        ...env,
      },
    },
  );
  const started = await Promise.race([
    once(child.stdout ?? child, 'data').then(() => true),
    once(child, 'exit').then(() => false),
  ]);
  if (!started) throw new Error(`${file} ended before it listened`);
  return {
    origin,
    browser({ like } = { like: createBrowser({ origin, publicUrl: origin }) }) {
      const browser = createBrowser({ origin, publicUrl: origin });
      like.cookies.forEach((value, name) => browser.cookies.set(name, value));
      return browser;
    },
    async steer(message) {
      child.send(message);
      await once(child, 'message');
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
