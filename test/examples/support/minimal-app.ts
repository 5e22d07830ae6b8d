import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startSandbox, type Sandbox } from '../../../sandbox/sandbox.js';
import { startSteered, type SteeredProcess } from './steered-process.js';

export interface Minimal {
  sandbox: Sandbox;
  start(env?: Record<string, string>): Promise<SteeredProcess>;
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
  const apps: SteeredProcess[] = [];
  return {
    sandbox,
    async start(env = {}) {
      const app = await startSteered({ file, sandbox, typescript: true, env });
      apps.push(app);
      return app;
    },
    async close() {
      for (const app of apps) app.kill();
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function apply(diff: string, folder: string): void {
  const { status, stderr } = spawnSync('git', ['apply', diff], { cwd: folder, encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`${diff} does not apply; make the change by hand and write it anew: ${stderr}`);
}
