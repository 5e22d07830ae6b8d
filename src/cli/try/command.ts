import { spawn } from 'node:child_process';
import { Option, type Command } from 'commander';
import type { Config } from '../../config/config.js';
import { misused } from '../input.js';
import { numberFrom } from '../numbers.js';
import { promptFor } from '../prompt.js';
import { tryFlow } from './try-flow.js';

interface Deps {
  readonly print: (text: string) => void;
  readonly exitWith: (code: number) => void;
  readonly config: () => Promise<Config>;
}

/** `npm run getbill -- try`: signs in once, as a person, and says which step fails. */
export function addTryCommand(program: Command, { print, exitWith, config }: Deps): void {
  program
    .command('try')
    .description('tries the authorization code flow in five steps, with your browser')
    .option('--open', 'open the browser too')
    .addOption(
      new Option('--wait <seconds>', 'for the browser to come back')
        .default(300)
        .argParser(numberFrom(1, 3600)),
    )
    .action(async ({ open, wait }: { open?: true; wait: number }) => {
      const openBrowser = open ? openInBrowser : () => undefined;
      const waitMs = wait * 1000;
      exitWith(await tryFlow({ config: await config(), waitMs, print, openBrowser, pasted }));
    });
}

const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** A failure is ignored: the URL is printed all the same. */
function openInBrowser(url: string): void {
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}

/** Asks for the last address in the browser. Its code is unused: another app got the callback. */
async function pasted(closed: AbortSignal): Promise<string> {
  if (!process.stdin.isTTY)
    misused('the redirect URI is not on this machine, and there is no terminal to paste into');
  return (await promptFor('Paste the address that the browser shows at the end: ', closed)) ?? '';
}
