// `npm start`: runs the built app, and builds it first when it is missing or older than its source.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const built = 'dist/main.js';

function newest(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)).mtimeMs)
    .reduce((latest, time) => Math.max(latest, time), 0);
}

if (!existsSync(built) || newest('src') > statSync(built).mtimeMs) {
  process.stderr.write('building...\n');
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
await import(new URL(`../${built}`, import.meta.url).href);
