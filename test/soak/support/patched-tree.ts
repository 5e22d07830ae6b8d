import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type * as Harness from '../../support/test-app.js';

export interface PatchedTree {
  folder: string;
  /** The harness of the tests, which builds the app of this tree. */
  startTestApp: typeof Harness.startTestApp;
  remove(): void;
}

/** The project as somebody has it after `git apply examples/...`. @throws {Error} the diff does not apply (any more). */
export function patchedTree(diff: string): PatchedTree {
  const folder = mkdtempSync(join(tmpdir(), 'gb-example-'));
  for (const name of [
    'src',
    'views',
    'public',
    'examples',
    'sandbox',
    'scripts',
    'test/support',
    'package.json',
  ]) {
    cpSync(name, join(folder, name), { recursive: true });
  }
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  const { status, stderr } = spawnSync('git', ['apply', resolve(diff)], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new Error(
      `${diff} does not apply; make the change by hand and write the diff anew: ${stderr}`,
    );
  return {
    folder,
    async startTestApp(options) {
      const harness = (await import(join(folder, 'test/support/test-app.ts'))) as typeof Harness;
      return await harness.startTestApp(options);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
