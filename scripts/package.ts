// `npm pack` packs the core alone: `prepack` builds it and leaves in package.json what the core
// needs, `postpack` puts the app's package.json back.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MANIFEST = 'package.json';
const KEPT = join('dist', 'package.app.json');
/** By its path: Windows cannot start the script in `.bin` without a shell. */
const COMPILER = join('node_modules', 'typescript', 'bin', 'tsc');

interface Manifest extends Record<string, unknown> {
  dependencies: Record<string, string>;
}

/**
 * oauth4webapi is a dependency; ioredis is yours, and only needed for `getbill-connect/core/redis`.
 */
function coreManifest({ devDependencies: _, bin: __, dependencies, ...common }: Manifest) {
  return {
    ...common,
    description:
      'Sign-in with GetBill, and tokens that are renewed once, never lost, and encrypted: for an app of yours.',
    sideEffects: false,
    dependencies: { oauth4webapi: `^${dependencies['oauth4webapi']}` },
    peerDependencies: { ioredis: `^${dependencies['ioredis']}` },
    peerDependenciesMeta: { ioredis: { optional: true } },
  };
}

function restore(): void {
  if (existsSync(KEPT)) renameSync(KEPT, MANIFEST);
}

function prepack(): void {
  restore(); // after a pack that was interrupted
  rmSync(join('dist', 'core'), { recursive: true, force: true });
  const args = [COMPILER, '-p', 'tsconfig.core.json'];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error('the core does not build by itself');
  const app = readFileSync(MANIFEST, 'utf8');
  mkdirSync('dist', { recursive: true });
  writeFileSync(KEPT, app);
  writeFileSync(
    MANIFEST,
    `${JSON.stringify(coreManifest(JSON.parse(app) as Manifest), undefined, 2)}\n`,
  );
}

if (process.argv[2] === 'prepack') prepack();
else restore();
