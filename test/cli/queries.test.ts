import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listenForCallback } from '../../src/cli/try/callback-server.js';
import type { Deps } from '../../src/cli/deps.js';
import { exitCodeOf, exitCodes } from '../../src/cli/exit-codes.js';
import { createProgram } from '../../src/cli/program.js';
import { itemTable } from '../../src/cli/tables.js';
import { freePort } from '../support/free-port.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const quiet: Omit<Deps, 'run' | 'print'> = {
  tell: () => undefined,
  width: () => Infinity,
  progress: () => ({ page: () => undefined, wait: () => undefined, stop: () => undefined }),
  explain: String,
  exitWith: () => undefined,
};

/** A command as it is typed. Returns what it prints. */
async function typed(
  { services }: TestApp,
  args: string | string[],
  deps: Partial<Deps> = {},
): Promise<string> {
  const printed: string[] = [];
  const program = createProgram({
    ...quiet,
    ...deps,
    run: (work) => work(services.appClient, new AbortController().signal),
    print: (text) => void printed.push(text),
  });
  await program.parseAsync(typeof args === 'string' ? args.split(' ') : args, { from: 'user' });
  return printed.join('\n');
}

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
])('getbill call GET "%s" asks for %s', async (query, asked) => {
  const app = await startTestApp();
  try {
    await typed(app, ['call', 'get', query]);
    const urls = app.sandbox.control.requests().map(({ url }) => url);
    expect(urls).toContain(`/external-api/v1${asked}`);
    expect(await typed(app, ['call', 'get', query, '--dry-run'])).toBe(`GET ${query}`);
  } finally {
    await app.close();
  }
});

describe('the command line', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'gb-cli-')), 'body.json');
  const debt = { firstname: 'Ada', lastname: 'Byron', email: 'a@example.com', amount: 1, currency: 'EUR' }; // prettier-ignore
  let app: TestApp;
  beforeAll(async () => void (app = await startTestApp()));
  afterAll(() => app.close());
  afterEach(() => app.sandbox.control.reset());
  const answer = (body: object) =>
    app.sandbox.control.set({ api: [{ mode: 'status', status: 200, body }] });

  it.each([
    ['call GET /nope', 'no such endpoint'],
    ['call GET debts', 'a path begins with "/"'],
    ['call PATCH /debts/d1?x=1', 'this path has GET, PUT, DELETE'],
    ['debts delete ../company', 'malformed id'],
    [`debts update a/b --from ${file}`, 'malformed id'],
  ])('"%s --dry-run" shows no request that cannot be sent', async (args, message) => {
    writeFileSync(file, '{"amount":2}');
    const refused = await typed(app, `${args} --dry-run`).catch((error: unknown) => error);
    expect(refused).toMatchObject({ message: expect.stringContaining(message) as string });
    expect(exitCodeOf(refused)).toBe(exitCodes.usage);
  });

  it.each([
    [`call GET /debts --from ${file}`, 'drop --from'],
    [`call DELETE /debts/d1 --from ${file} --dry-run`, 'drop --from'],
    [`debts create --from ${file} --report r.json`, 'drop --report'],
    [`debts create --from ${file} --batch-size 5 --dry-run`, 'drop --batch-size'],
    [`debts create --from ${file} --max-wait 5`, 'drop --max-wait'],
    ['followups list --debt d1 --status sent', 'drop --status'],
    ['followups list --debt d1 --type call', 'drop --type'],
    ['debts list --debtor d1 --creditor c1', 'drop --debtor or --creditor'],
  ])('"%s" is refused: an option would be without effect', async (args, message) => {
    writeFileSync(file, JSON.stringify(debt));
    const before = app.sandbox.control.requests().length;
    await expect(typed(app, args)).rejects.toThrow(message);
    expect(app.sandbox.control.requests()).toHaveLength(before);
  });

  it.each([
    ['debts list --debtor d1 --status paid', '/debts/by-debtor/d1?status=status.default.paid'],
    ['debts list --creditor c1 --limit 5', '/debts/by-creditor/c1?limit=5'],
    ['followups list --type call --status sent', '/followups?status=sent&type=call'],
    ['reports list --type financial', '/reports?type=financial'],
    ['reports download r1', '/reports/download/r1'],
    ['debts get r1', '/debts/r1'],
    ['followups get r1', '/followups/r1'],
    ['followups list --debt d1', '/followups/debt/d1'],
    ['debtors get r1', '/debtors/r1'],
    ['creditors get r1', '/creditors/r1'],
    ['reports get r1', '/reports/r1'],
  ])('"%s" asks for %s', async (args, asked) => {
    answer({ error: false, data: args.includes('list') ? [] : { id: 'r1' } });
    await typed(app, args);
    expect(app.sandbox.control.requests().at(-1)?.url).toBe(`/external-api/v1${asked}`);
  });

  it('the typed client asks for no more entries than GetBill sends at once, and takes so many for a full page', async () => {
    answer({ error: false, data: Array.from({ length: 100 }, (_, id) => ({ id: `d${id}` })) });
    const { pagination } = await app.services.appClient.debts({ limit: 500 });
    expect(app.sandbox.control.requests().at(-1)?.url).toBe('/external-api/v1/debts?limit=100');
    expect(pagination).toEqual({ total: 100, page: 1, limit: 100, pages: 2 });
  });

  it.each([
    ['debts list', 0, 'no debt here'],
    ['debts list --all', 0, 'no debt here'],
    ['debts list --page 7', 125, 'there is no page 7: the last one is 2'],
    ['debts list --all --page 7', 125, 'there is no page 7: the last one is 2'],
    ['debts list --page 2', 125, 'GetBill counts 125, and sent an empty list: try again'],
  ])('"%s" says of an empty list of %d why it is empty', async (args, total, expected) => {
    answer({ error: false, data: [], pagination: { total, pages: Math.ceil(total / 100) } });
    const told: string[] = [];
    const progress = () => ({ ...quiet.progress(), page: () => void told.push('a page') });
    await typed(app, args, { tell: (text) => void told.push(text), progress });
    expect(told).toEqual([expected]);
  });

  it.each([
    ['debts list --limit x', "error: option '--limit <n>' argument 'x' is invalid."],
    ['debts lost', "error: unknown command 'lost'"],
  ])('"%s" is refused in a text that breaks where the terminal does', async (args, said) => {
    const told: string[] = [];
    const tell = (text: string) => void told.push(text);
    await expect(typed(app, args, { tell })).rejects.toThrow();
    expect(told.join()).toContain(said);
  });

  it('shows the amount of a debt that comes without its text', async () => {
    const data = [
      { id: 'd1', amount: 12.5, currency: 'EUR' },
      { id: 'd2', amount_text: '3.00' },
    ];
    answer({ error: false, data });
    expect(await typed(app, 'debts list')).toMatch(/│ 12\.5 EUR │[^]*│ {5}3\.00 │/);
    answer({ error: false, data });
    expect(await typed(app, 'debts list --csv')).toMatch(/\nd1,,,12\.5,EUR,,\nd2,,,3\.00,,,$/);
  });

  it.each([
    [{ a: 1 }, 'no usable "data"'],
    [null, 'no usable "data"'],
  ])('says that the users are none that can be read: %j', async (data, message) => {
    answer({ error: false, data });
    await expect(typed(app, 'users')).rejects.toThrow(message);
  });

  it('leaves out users that are no records', async () => {
    answer({ error: false, data: [null, 'x', { id: 'u1' }] });
    expect(JSON.parse(await typed(app, 'users --json'))).toEqual([{ id: 'u1' }]);
  });

  it('names a file that is nested too deeply, and shows the rest of a record that is', async () => {
    const deep = `${'['.repeat(9_000)}${']'.repeat(9_000)}`;
    writeFileSync(file, `{"metadata":{"a":${deep}}}`);
    await expect(typed(app, `debts create --from ${file}`)).rejects.toThrow('nested too deeply');
    expect(itemTable({ id: 'd1', metadata: JSON.parse(deep) as unknown })).toContain('d1');
  });

  it.each(['call GET /debts/d1', 'debts get d1 --json'])(
    '"%s" names a response that is nested too deeply to be shown',
    async (args) => {
      const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
      const body = `{"error":false,"data":{"id":"d1","metadata":${deep}}}`;
      app.sandbox.control.set({
        api: [{ mode: 'rawBody', status: 200, contentType: 'application/json', body }],
      });
      await expect(typed(app, args)).rejects.toMatchObject({
        message: 'the response is nested too deeply to be shown',
        code: 'answer_unexpected_shape',
      });
    },
  );

  it('says where a file is no JSON', async () => {
    writeFileSync(file, '[\n {"a": 1}\n {"b": 2}\n]');
    await expect(typed(app, `debts create --from ${file}`)).rejects.toThrow(/line 3/);
  });
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
