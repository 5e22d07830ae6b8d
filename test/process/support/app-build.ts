import { transformSync } from '@swc/core';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const project = process.cwd(); // Jest and the soak run start in the project's folder

export interface AppBuild {
  /** The script to start. */
  main: string;
  remove(): void;
}

/**
 * `src/` with its types taken off, in a folder of its own; `npm test` has checked them. Plain Node
 * starts it twice as fast as tsx. `replaced` has other texts for some of its files.
 */
export function buildApp(replaced: Readonly<Record<string, string>> = {}): AppBuild {
  const folder = mkdtempSync(join(tmpdir(), 'gb-app-'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const name of ['node_modules', 'views', 'public'])
    symlinkSync(join(project, name), join(folder, name));
  const files = readdirSync(join(project, 'src'), { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    const text = replaced[file] ?? readFileSync(join(project, 'src', file), 'utf8');
    const { code } = transformSync(text, {
      configFile: false,
      swcrc: false,
      jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
      module: { type: 'es6' },
    });
    const target = join(folder, 'src', file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code);
  }
  return {
    main: join(folder, 'src', 'main.js'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
