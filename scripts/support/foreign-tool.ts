import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';

/**
 * A command of a package that this project does not depend on: where npx keeps it, fetched when it
 * is not there yet. Its install scripts are not run: they fetch more.
 */
export function pathOfTool({ pkg, command }: { pkg: string; command: string }): string {
  console.log(`looking for ${pkg} (the first time takes a minute or two) ...`);
  const args = ['--yes', '-p', pkg, '-c', `readlink -f "$(command -v ${command})"`];
  const env = { ...process.env, npm_config_ignore_scripts: 'true' };
  return execFileSync('npx', args, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

export const folderOfTool = (tool: Parameters<typeof pathOfTool>[0]): string =>
  dirname(pathOfTool(tool));
