import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { defaultClientId, defaultClientSecret } from '../../sandbox/sandbox.js';
import { freePort } from '../support/free-port.js';
import { startCommandLine, type CommandLine } from '../cli/support/commands.js';

let cli: CommandLine;
beforeAll(async () => {
  cli = await startCommandLine();
});
afterAll(() => cli.close());
afterEach(() => cli.sandbox.control.reset());

function pemFile(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'gb-ca-')), 'ca.pem');
  writeFileSync(file, rootCertificates[0] ?? '');
  return file;
}

describe('a list', () => {
  it('puts the table alone on standard output, short statuses in it, and what follows it on standard error', async () => {
    const { code, stdout, stderr } = await cli.run('debts list --limit 3 --status in_progress');
    expect(code).toBe(0);
    expect(stdout).toMatch(/│ in_progress /);
    expect(stdout).not.toMatch(/status\.default|page 1/);
    expect(stderr).toMatch(/^page 1 of \d+, \d+ in all; next: --page 2, or --all\n$/);
  });

  it.each(['paid', 'Paid', 'status.default.paid'])('takes the status %s', async (status) => {
    const { stdout } = await cli.run(`debts list --limit 2 --json --status ${status}`);
    const statuses = (JSON.parse(stdout) as { status: string }[]).map((debt) => debt.status);
    expect(statuses).toEqual(['status.default.paid', 'status.default.paid']);
  });

  it('without any debt of an unknown status names the known ones, and prints no empty table', async () => {
    const { code, stdout, stderr } = await cli.run('debts list --status status.default.payed');
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(
      /no debt has the status "status\.default\.payed"; GetBill's own are pending, .*paid/,
    );
  });

  it('behind the last page says which one that is', async () => {
    const { code, stdout, stderr } = await cli.run('debts list --page 999');
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/^there is no page 999: the last one is \d+\n$/);
  });

  it('as CSV has a field per column, quoted where it must be, and no formula', async () => {
    const { stdout, stderr } = await cli.run('debts list --all --csv');
    const [head, ...lines] = stdout.trimEnd().split('\n');
    expect(head).toBe('id,firstname,lastname,amount_text,currency,due_date,status');
    expect(lines.filter((line) => /(^|,)[=+@]/.test(line))).toEqual([]);
    expect(stderr).toMatch(/\n\d+ debts, \d+\.\d\d [A-Z]{3}/);
    expect(lines).toHaveLength(Number(/(\d+) debts, /.exec(stderr)?.[1]));
  });
});

describe('a reader that leaves', () => {
  it('ends neither a list nor its data, where it read the progress', async () => {
    const { child, ended } = cli.start('debts list --all --json --verbose');
    child.stderr?.destroy(); // as "2> >(head -1)" does
    const { code, stdout } = await ended;
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.any(Array)]);
  });

  it.each([
    ['a list', 'getbill.js', ['debts', 'list']],
    ['the doctor', 'doctor.js', []],
  ])('ends %s in order, where it read the data', async (_what, script, args) => {
    const secrets = {
      SESSION_SECRET: 'of a test 0123456789abcdef012345',
      TOKEN_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    };
    const { child, ended } = cli.start(args.join(' '), secrets, { script });
    child.stdout?.destroy(); // as "| head -0" does
    const { code, stderr } = await ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain('EPIPE');
  });
});

describe('a command that fails', () => {
  it.each([
    ['secret', { GETBILL_CLIENT_SECRET: 'another' }],
    ['id', { GETBILL_CLIENT_ID: 'somebody-else' }],
  ])('for a wrong %s leads to the doctor', async (_what, env) => {
    const { code, stderr } = await cli.run('company profile', env);
    expect(code).toBe(3);
    expect(stderr).toContain('npm run doctor says which of the two is wrong');
  });

  it('because nothing listens at GetBill names the host and the reason, and no token', async () => {
    const port = await freePort();
    const { code, stderr } = await cli.run('company profile', {
      GETBILL_BASE_URL: `http://localhost:${port}`,
    });
    expect(code).toBe(6);
    expect(stderr).toContain(
      `GetBill could not be reached: nothing listens at localhost:${port} (ECONNREFUSED)`,
    );
    expect(stderr).toContain('correct host and port in GETBILL_BASE_URL');
    expect(stderr).toContain('npm run doctor looks closer');
    expect(stderr).not.toMatch(/token|renew/);
  });

  it('in a batch names the host as well', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gb-batch-'));
    const file = join(folder, 'debts.json');
    const debt = {
      firstname: 'A',
      lastname: 'B',
      amount: 1,
      currency: 'EUR',
      email: 'a@example.com',
    };
    writeFileSync(file, JSON.stringify([debt]));
    const nowhere = { GETBILL_BASE_URL: `http://localhost:${await freePort()}` };
    const { code, stderr } = await cli.run(`debts create --from ${file}`, nowhere);
    rmSync(folder, { recursive: true });
    expect(code).toBe(6);
    expect(stderr).toContain('stopped: GetBill could not be reached: nothing listens at localhost');
  });

  it('because the token endpoint limits us ends with 5, and says when to try again', async () => {
    cli.sandbox.control.set({ token: [{ mode: 'status', status: 429, times: 0 }] });
    const { code, stderr } = await cli.run('company profile');
    expect([code, stderr]).toEqual([5, expect.stringMatching(/try again in \d s/)]);
  });

  it('because GetBill does not answer in time says how long it waited', async () => {
    cli.sandbox.control.set({ token: [{ mode: 'hang' }] });
    const { code, stderr } = await cli.run('company profile', { GETBILL_TIMEOUT_MS: '300' });
    expect(code).toBe(6);
    expect(stderr).toMatch(
      /GetBill could not be reached: localhost:\d+ did not answer within 300 ms/,
    );
  });

  it('shows texts of GetBill without anything that steers the terminal', async () => {
    const message = 'gone \u001b[2J\u009b31m \u202e away';
    cli.sandbox.control.set({
      api: [{ mode: 'status', status: 404, body: { error: true, message } }],
    });
    const { stderr } = await cli.run('company profile --verbose');
    expect(stderr).toContain('gone');
    expect(stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  });
});

it.each([
  ['getbill.js', 'debts list --all --json --csv', 'drop one of them'],
  ['getbill.js', 'debts list --max-wait 5', 'drop --max-wait, or add --all'],
  ['getbill.js', 'debts create --resume a.json --report b.json', 'drop --report'],
  ['getbill.js', 'debts delete d1 --dry-run --json', 'drop --json'],
  ['getbill.js', 'call GET /debts --dry-run --json', 'drop --json'],
  ['doctor.js', `--url-ca-file ${pemFile()}`, 'drop --url-ca-file, or add --url'],
])('%s %s names the option to drop, and calls nobody', async (script, line, cure) => {
  cli.sandbox.control.clearRequests();
  const { code, stdout, stderr } = await cli.run(line, {}, { script });
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(cure)]);
  expect(cli.sandbox.control.requests()).toEqual([]);
});

describe('any documented call', () => {
  let file: string;
  beforeEach(() => {
    file = join(mkdtempSync(join(tmpdir(), 'gb-call-')), 'body.json');
  });
  const write = (body: unknown): void => writeFileSync(file, JSON.stringify(body));
  const posts = (): number => cli.sandbox.control.requests().filter(({ method, url }) => method === 'POST' && url.includes('/external-api/')).length; // prettier-ignore
  beforeEach(() => cli.sandbox.control.clearRequests());

  it('is sent once, with the file as its body, and its JSON is shown', async () => {
    write({
      firstname: 'Ada',
      lastname: 'Lovelace',
      amount: 12.5,
      currency: 'EUR',
      email: 'ada@example.com',
    });
    const { code, stdout, stderr } = await cli.run(`call post /debts --from ${file}`);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Lovelace');
    expect(posts()).toBe(1);
  });

  it('that is cut off is not sent again', async () => {
    cli.sandbox.control.set({ api: [{ mode: 'drop', method: 'POST' }] });
    write({ firstname: 'Ada' });
    const { code } = await cli.run(`call POST /debts --from ${file}`);
    expect([code, posts()]).toEqual([6, 1]);
  });

  it('that GetBill refuses names the fields', async () => {
    write({ lastname: 'Lovelace' });
    const { code, stderr } = await cli.run(`call POST /debts --from ${file}`);
    expect(code).toBe(4);
    expect(stderr).toMatch(/\n {2}firstname: /);
  });

  it('of a path with a query is sent with that query', async () => {
    const { code, stdout } = await cli.run('call GET /debts?limit=2');
    expect([code, (JSON.parse(stdout) as { data: unknown[] }).data]).toEqual([
      0,
      [expect.anything(), expect.anything()],
    ]);
  });

  it('with --dry-run sends nothing; an unknown path, method or file is named', async () => {
    write({ a: 1 });
    expect((await cli.run(`call POST /debts --from ${file} --dry-run`)).stdout).toBe(
      'POST /debts\n{\n  "a": 1\n}\n',
    );
    const wrong = await cli.run('call PATCH /debts');
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringContaining('this path has GET, POST') as string,
    ]);
    const missing = await cli.run('call POST /debts --from missing.json');
    expect([missing.code, missing.stderr]).toEqual([
      2,
      expect.stringContaining('--from cannot be read (ENOENT)') as string,
    ]);
    expect(posts()).toBe(0);
  });
});

it('--version names the version; --help has examples and every exit code', async () => {
  const { stdout: version } = await cli.run('--version');
  expect(version).toMatch(/^getbill-connect \S+\n$/);
  const { stdout: help } = await cli.run('--help');
  expect(help).toContain('getbill debts list --all --csv > debts.csv');
  expect(help).toContain(
    '0 done, 1 a bug, 2 usage, 3 configuration, 4 refused, 5 limit, 6 no response, 130 Ctrl-C',
  );
});

it('a .env that cannot be read is named, without a stack', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gb-dotenv-'));
  mkdirSync(join(folder, '.env'));
  const { code, stderr } = await cli.run('company profile', {}, { cwd: folder });
  expect([code, stderr]).toEqual([
    2,
    'error: .env is no text file that can be read; correct it, or take it away\n',
  ]);
  rmSync(folder, { recursive: true });
});

describe('without a client in the environment', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gb-demo-'));
    mkdirSync(join(folder, '.demo'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const none = { GETBILL_CLIENT_ID: '', GETBILL_CLIENT_SECRET: '', GETBILL_BASE_URL: '' };

  function writeDemo(GETBILL_BASE_URL: string): void {
    const env = { GETBILL_BASE_URL, GETBILL_CLIENT_ID: defaultClientId };
    writeFileSync(join(folder, '.demo/running.json'), JSON.stringify({ pid: 1, env }));
    writeFileSync(
      join(folder, '.demo/secrets.json'),
      JSON.stringify({ GETBILL_CLIENT_SECRET: defaultClientSecret }),
    );
  }

  it('a running demo is used, and said to be, apart from the data', async () => {
    writeDemo(cli.sandbox.origin);
    const { code, stdout, stderr } = await cli.run('company profile --json', none, { cwd: folder });
    expect(stderr).toBe(
      `using the demo's sandbox at ${cli.sandbox.origin}: no GetBill client in .env\n`,
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('name');
  });

  it('the settings of .env come before a demo, and nothing is said of either', async () => {
    writeDemo('http://localhost:1');
    const lines = { GETBILL_CLIENT_ID: defaultClientId, GETBILL_CLIENT_SECRET: defaultClientSecret, GETBILL_BASE_URL: cli.sandbox.origin }; // prettier-ignore
    const text = Object.entries(lines).map(([name, value]) => `${name}=${value}`);
    writeFileSync(join(folder, '.env'), text.join('\n'));
    const { code, stderr } = await cli.run('company profile', undefined, {
      cwd: folder,
      bare: true,
    });
    expect([code, stderr]).toEqual([0, '']);
  });

  it('a demo that has ended is none: the fault is named, and how to start one', async () => {
    writeDemo(`http://localhost:${await freePort()}`);
    const { code, stderr } = await cli.run('company profile', none, { cwd: folder });
    expect(code).toBe(3);
    expect(stderr).toContain('GETBILL_CLIENT_ID is not set');
    expect(stderr).toContain('npm run demo');
    expect(stderr).not.toContain("the demo's sandbox");
  });
});
