import { spawn } from 'node:child_process';

/** What a key of the demo does. */
export interface Key {
  readonly key: string;
  readonly does: string;
  readonly press: () => void | Promise<void>;
}

const CTRL_C = '\u0003';

/**
 * Reads single keys from the terminal; does nothing where there is none.
 * @returns gives the terminal back.
 */
export function listenToKeys(keys: readonly Key[], onCtrlC: () => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => undefined;
  stdin.setRawMode(true).setEncoding('utf8').resume();
  stdin.on('data', (text: string) => {
    for (const character of text) {
      if (character === CTRL_C) onCtrlC();
      const found = keys.find(({ key }) => key === character.toLowerCase());
      void found?.press();
    }
  });
  return () => void stdin.setRawMode(false).pause();
}

const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/**
 * In the visitor's browser, if this machine has one: whoever presses the key sees the address
 * anyway.
 */
export function openInBrowser(url: string): void {
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const opener = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  opener.once('error', () => undefined); // no browser here
  opener.unref();
}
