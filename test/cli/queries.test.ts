import { listenForCallback } from '../../src/cli/try/callback-server.js';
import type { Deps } from '../../src/cli/deps.js';
import { createProgram } from '../../src/cli/program.js';
import { freePort } from '../support/free-port.js';
import { startTestApp } from '../support/test-app.js';

const quiet: Omit<Deps, 'run' | 'print'> = {
  tell: () => undefined,
  width: () => Infinity,
  progress: () => ({ page: () => undefined, wait: () => undefined, stop: () => undefined }),
  exitWith: () => undefined,
};

it.each([60, 80])('the help of getbill and of its commands fits %d columns', (width) => {
  const program = createProgram({
    ...quiet,
    run: () => Promise.resolve(),
    print: () => undefined,
    width: () => width,
  });
  const help: string[] = [];
  const within = { writeOut: (text: string) => void help.push(text), getOutHelpWidth: () => width };
  const commands = [
    program,
    ...program.commands,
    ...program.commands.flatMap((one) => one.commands),
  ];
  for (const command of commands) command.configureOutput(within).outputHelp();
  expect(help.join('')).toContain('130 Ctrl-C.');
  expect(
    help
      .join('')
      .split('\n')
      .filter((line) => line.length > width),
  ).toEqual([]);
});

it.each([
  ['/debts?limit=2', '/debts?limit=2'],
  ['/debts', '/debts'],
  ['/debts?', '/debts'],
  ['/debts?status=a&status=b', '/debts?status=a&status=b'],
  ['/debts?status=why?', '/debts?status=why?'],
  ['/debts?status=a+b%20c', '/debts?status=a+b%20c'],
  ['/debts?status=a b', '/debts?status=a%20b'],
])('getbill call GET "%s" asks for %s', async (typed, asked) => {
  const app = await startTestApp();
  try {
    const printed: string[] = [];
    const program = createProgram({
      ...quiet,
      run: (work) => work(app.services.appClient, new AbortController().signal),
      print: (text) => void printed.push(text),
    });
    await program.parseAsync(['call', 'get', typed], { from: 'user' });
    const urls = app.sandbox.control.requests().map(({ url }) => url);
    expect(urls).toContain(`/external-api/v1${asked}`);
    await program.parseAsync(['call', 'get', typed, '--dry-run'], { from: 'user' });
    expect(printed.at(-1)).toBe(`GET ${typed}`);
  } finally {
    await app.close();
  }
});

it.each([
  ['?code=one&state=two', { code: 'one', state: 'two' }],
  ['?note=why?&code=o?ne&state=two', { note: 'why?', code: 'o?ne', state: 'two' }],
  ['', {}],
])('the callback of getbill try takes the whole query of "%s"', async (query, expected) => {
  const redirectUri = `http://localhost:${await freePort()}/oauth/callback`;
  const callback = await listenForCallback(redirectUri, { register: () => Promise.resolve(false) });
  try {
    expect((await fetch(`${redirectUri}${query}`)).status).toBe(200);
    expect(Object.fromEntries(await callback.response())).toEqual(expected);
  } finally {
    callback.close();
  }
});
