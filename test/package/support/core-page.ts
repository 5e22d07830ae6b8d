import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startSandbox, type Sandbox } from '../../../sandbox/sandbox.js';
import { startSteered, type SteeredProcess } from '../../examples/support/steered-process.js';

/** The code blocks of a section of docs/core.md. */
export function codeOf(heading: string): string {
  const page = readFileSync('docs/core.md', 'utf8');
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [body = ''] = section.split('\n## ');
  return [...body.matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, code = '']) => code).join('\n');
}

/** The file that docs/core.md writes, section by section. */
export const appOfThePage = (): string =>
  ['Set up', 'The ten lines', 'Use the tokens'].map(codeOf).join('\n');

export interface Project {
  folder: string;
  /** The core is TypeScript there: the sources of this tree. */
  typescript: boolean;
  close(): void;
}

/** The package's paths with the source files that its built files come from. */
export function exportsOverSource(): Record<string, string> {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    exports: Record<string, string | { default: string }>;
  };
  const overSource = Object.entries(exports).map(([path, target]) => {
    const file = typeof target === 'string' ? target : target.default;
    return [path, file.replace('/dist/', '/src/').replace(/\.js$/, '.ts')] as const;
  });
  return Object.fromEntries(overSource);
}

/** An empty project in which `getbill-connect/core` is the source of this tree: nothing has to be built. */
export function projectOverSource(): Project {
  const folder = mkdtempSync(join(tmpdir(), 'gb-core-page-'));
  const modules = join(folder, 'node_modules');
  const core = join(modules, 'getbill-connect');
  mkdirSync(core, { recursive: true });
  const manifest = { type: 'module', exports: exportsOverSource() };
  writeFileSync(join(core, 'package.json'), JSON.stringify(manifest));
  symlinkSync(resolve('src'), join(core, 'src'));
  for (const name of ['express', 'express-session'])
    symlinkSync(resolve('node_modules', name), join(modules, name));
  return {
    folder,
    typescript: true,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export interface ForeignApp {
  sandbox: Sandbox;
  start(env?: Record<string, string>): Promise<SteeredProcess>;
  close(): Promise<void>;
}

/** The app of the page in processes of their own, in `project`; `edit` changes its text. */
export async function startForeignApp(
  project: Project,
  edit: (text: string) => string = (text) => text,
): Promise<ForeignApp> {
  const file = join(project.folder, 'app.mjs');
  writeFileSync(file, edit(appOfThePage()));
  const sandbox = await startSandbox({ redirectUris: [], faults: { consent: 'auto' } });
  const apps: SteeredProcess[] = [];
  return {
    sandbox,
    async start(env = {}) {
      const app = await startSteered({ file, sandbox, typescript: project.typescript, env });
      apps.push(app);
      return app;
    },
    async close() {
      for (const app of apps) app.kill();
      await sandbox.close();
    },
  };
}

/** Copies what `npm pack` needs, so that it can build there and leaves this tree alone. */
export function copyForPacking(): { folder: string; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'gb-pack-'));
  const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] };
  const sources = files.filter((file) => !file.startsWith('dist/'));
  for (const name of [
    ...sources,
    'package.json',
    'README.md',
    'LICENSE',
    'scripts',
    'tsconfig.json',
    'tsconfig.core.json',
  ])
    cpSync(name, join(folder, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  return { folder, close: () => rmSync(folder, { recursive: true, force: true }) };
}
