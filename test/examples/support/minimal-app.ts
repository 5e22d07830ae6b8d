import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultClientId, defaultClientSecret, startSandbox, type Sandbox } from '../../../sandbox/sandbox.js';
import { createBrowser, type Browser } from '../../support/browser.js';
import { freePort } from '../../support/free-port.js';

export interface MinimalProcess {
  origin: string;
  /** Keeps its cookies; `like` starts with those of another browser. */
  browser(options?: { like: Browser }): Browser;
  /** Moves the clock of the process, or makes every write of tokens fail. */
  steer(message: { skipMs?: number; writesFail?: boolean }): Promise<void>;
}

export interface Minimal {
  sandbox: Sandbox;
  start(env?: Record<string, string>): Promise<MinimalProcess>;
  close(): Promise<void>;
}

/**
 * `examples/minimal/app.ts` with some of its diffs, in processes of their own, beside a sandbox. `edit` changes the text
 * of the app, to take a guarantee away again.
 * @throws {Error} a diff does not apply (any more).
 */
export async function startMinimal({
  diffs = [],
  edit = (text) => text,
}: { diffs?: string[]; edit?: (text: string) => string } = {}): Promise<Minimal> {
  const folder = mkdtempSync(join(tmpdir(), 'gb-minimal-'));
  const file = join(folder, 'app.ts');
  mkdirSync(folder, { recursive: true });
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(file, readFileSync('examples/minimal/app.ts'));
  for (const diff of diffs) apply(resolve(`examples/minimal/${diff}.diff`), folder);
  writeFileSync(file, edit(readFileSync(file, 'utf8')));

  const sandbox = await startSandbox({ redirectUris: [], faults: { consent: 'auto' } });
  const children: ReturnType<typeof spawn>[] = [];
  return {
    sandbox,
    async start(env = {}) {
      const port = await freePort();
      const origin = `http://localhost:${port}`;
      sandbox.control.addRedirectUri(`${origin}/oauth/callback`);
      const preload = pathToFileURL(resolve('test/examples/support/steered.mjs')).href;
      const child = spawn(process.execPath, ['--import', 'tsx', '--import', preload, file], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
        env: {
          PATH: process.env['PATH'],
          PORT: String(port),
          GETBILL_BASE_URL: sandbox.origin,
          GETBILL_CLIENT_ID: defaultClientId,
          GETBILL_CLIENT_SECRET: defaultClientSecret,
          SESSION_SECRET: 'a-session-secret-of-the-tests-0123456789',
          ...env,
        },
      });
      children.push(child);
      if (child.stdout !== null) await once(child.stdout, 'data'); // "Open http://localhost:..."
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
      };
    },
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function apply(diff: string, folder: string): void {
  const { status, stderr } = spawnSync('git', ['apply', diff], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${diff} does not apply; make the change by hand and write it anew: ${stderr}`);
}
