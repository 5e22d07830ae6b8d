import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type * as Harness from '../../support/test-app.js';

export interface CopiedTree {
  folder: string;
  /** The harness of the tests, which builds the app of this tree. */
  startTestApp: typeof Harness.startTestApp;
  remove(): void;
}

/** Files and folders of the project in a place where they can be changed. */
export function copyTree(names: readonly string[]): CopiedTree {
  const folder = mkdtempSync(join(tmpdir(), 'gb-tree-'));
  const filter = (path: string): boolean => !path.includes('node_modules');
  for (const name of names) cpSync(name, join(folder, name), { recursive: true, filter });
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    async startTestApp(options) {
      const harness = (await import(join(folder, 'test/support/test-app.ts'))) as typeof Harness;
      return await harness.startTestApp(options);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
