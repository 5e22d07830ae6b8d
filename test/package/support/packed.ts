import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { copyForPacking, type Project } from './core-page.js';

interface Ran {
  ok: boolean;
  output: string;
}

export function run(
  command: string,
  args: string[],
  cwd = process.cwd(),
  env: Record<string, string> = {},
): Ran {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  return { ok: status === 0, output: stdout + stderr };
}

/** `npm pack`: the tarball. It is made in a copy of this tree. */
export function pack(): { tarball: string; close(): void } {
  const copy = copyForPacking();
  const { ok, output } = run('npm', ['pack', '--silent'], copy.folder);
  const [name] = readdirSync(copy.folder).filter((file) => file.endsWith('.tgz'));
  if (!ok || name === undefined) throw new Error(`npm pack: ${output}`);
  return { tarball: join(copy.folder, name), close: () => copy.close() };
}

const BESIDE = ['express', 'express-session', 'ioredis'];

/** An empty project with the tarball and what docs/core.md installs beside it. Without a registry the latter are links. */
export function installIn(tarball: string): Project {
  const folder = mkdtempSync(join(tmpdir(), 'gb-empty-project-'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const beside = BESIDE.map((name) => `${name}@${dependencies[name]}`);
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=0'];
  const installed = run('npm', ['install', ...flags, tarball, ...beside], folder);
  if (!installed.ok) {
    console.warn(`npm could not install, so the tarball is unpacked: ${installed.output}`);
    unpack(tarball, folder);
  }
  return {
    folder,
    typescript: false,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function unpack(tarball: string, folder: string): void {
  const modules = join(folder, 'node_modules');
  rmSync(modules, { recursive: true, force: true });
  mkdirSync(join(modules, 'getbill-connect'), { recursive: true });
  const { ok, output } = run('tar', [
    'xzf',
    tarball,
    '-C',
    join(modules, 'getbill-connect'),
    '--strip-components=1',
  ]);
  if (!ok) throw new Error(output);
  for (const name of [...BESIDE, 'oauth4webapi'])
    symlinkSync(resolve('node_modules', name), join(modules, name));
}

/** The model of the renewal and its planted faults, with every import of the core led to `core`, a folder of .js files. */
export function runModelOver(core: string, { seeds }: { seeds: number }): Ran {
  const config = {
    rootDir: process.cwd(),
    roots: ['<rootDir>/test/renewal'],
    testEnvironment: 'node',
    transform: {
      '^.+\\.(t|j|mj)s$': [
        '@swc/jest',
        {
          jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
          module: { type: 'commonjs' },
        },
      ],
    },
    transformIgnorePatterns: ['/node_modules/(?!(oauth4webapi|getbill-connect[a-z-]*)/)'],
    moduleNameMapper: {
      '^(?:\\.\\.?/)+(?:src/)?core/(.*)\\.js$': `${core}/$1.js`,
      [`^(\\.{1,2}/.*)\\.js$`]: ['$1', '$1.js'],
    },
  };
  const jest = resolve('node_modules/jest/bin/jest.js');
  const args = [jest, '--config', JSON.stringify(config), 'model.test.ts'];
  return run(process.execPath, args, process.cwd(), { MODEL_SEEDS: String(seeds) });
}
