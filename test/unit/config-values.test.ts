import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { parseConfig } from '../../src/config/config.js';
import { splitList } from '../../src/config/lists.js';
import { suspicions } from '../../src/config/load.js';
import { observe, observeEnvironment } from '../../src/config/observations.js';
import { ConfigError } from '../../src/errors.js';
import { createRedis } from '../../src/redis/client.js';

type Env = Record<string, string>;

const random = (seed: string): string => hash('sha256', seed, 'base64');
const required: Env = {
  GETBILL_CLIENT_ID: 'client-1',
  GETBILL_CLIENT_SECRET: 'CANARY-client-secret-1',
  SESSION_SECRET: random('CANARY session'),
  TOKEN_ENCRYPTION_KEY: random('CANARY key'),
};
const production: Env = {
  ...required,
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://connect.example.com',
  REDIS_URL: 'rediss://user:CANARY-redis-password@redis.internal:6380/2',
};

function problemsOf(env: Env): readonly string[] {
  try {
    parseConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(inspect(error, { depth: null })).not.toContain('CANARY');
    return error.problems;
  }
}
const secretsOf = (GETBILL_CLIENT_SECRET: string): string[] =>
  parseConfig({ ...required, GETBILL_CLIENT_SECRET }).getbill.clientSecrets.map((one) =>
    one.reveal(),
  );

describe('a list of secrets', () => {
  it.each([
    ['new,old', ['new', 'old']],
    ['a\\,b', ['a,b']],
    ['a\\,b, old', ['a,b', 'old']],
    ['ends\\\\,old', ['ends\\', 'old']],
    ['a\\\\\\,b', ['a\\,b']],
    ['back\\slash', ['back\\slash']],
    ['two\\\\slashes', ['two\\\\slashes']],
    ['at the end\\', ['at the end\\']],
    [',a,,b,', ['a', 'b']],
  ])('reads %s', (text, entries) => {
    expect(splitList(text)).toEqual(entries);
    expect(secretsOf(text)).toEqual(entries);
  });

  it('takes a comma in a session secret, and says which entry is short when it is not escaped', () => {
    const SESSION_SECRET = `${'a1b2c3d4'.repeat(3)}\\,${random('rest')}`;
    expect(parseConfig({ ...required, SESSION_SECRET }).session.secrets.reveal()).toHaveLength(1);
    const [problem] = problemsOf({
      ...required,
      SESSION_SECRET: SESSION_SECRET.replace('\\,', ','),
    });
    expect(problem).toMatch(
      /^SESSION_SECRET is shorter than 32 bytes \(entry 1 of 2: .*\\, is a comma\)/,
    );
  });
});

describe('a list with another separator than its own', () => {
  const [one, two] = [random('one'), random('two')];
  it.each([' ', ';', '|', ':', ''])(
    'is refused in TOKEN_ENCRYPTION_KEY, of which only the first key would be used: %j',
    (separator) => {
      const [problem] = problemsOf({ ...required, TOKEN_ENCRYPTION_KEY: one + separator + two });
      expect(problem).toMatch(/^TOKEN_ENCRYPTION_KEY is not the base64 of 32 bytes/);
    },
  );

  it('is no fault of a key in quotes or in the base64 of URLs', () => {
    for (const key of [`"${one}"`, hash('sha256', 'x', 'base64url')]) {
      const { tokenEncryptionKeys } = parseConfig({ ...required, TOKEN_ENCRYPTION_KEY: key });
      expect(tokenEncryptionKeys.reveal()).toEqual([Buffer.from(key, 'base64')]);
    }
  });

  it.each([',', ', ', ';', '+', '%20', '|'])(
    'is refused in GETBILL_SCOPES, where it would be part of a name: %j',
    (separator) => {
      const GETBILL_SCOPES = `company:read${separator}debts:read`;
      expect(problemsOf({ ...required, GETBILL_SCOPES })[0]).toMatch(
        /^GETBILL_SCOPES must be scopes separated by spaces/,
      );
    },
  );
});

describe('a number', () => {
  it.each(['0xBB8', '3e3', '3000.0', '0b11', '+3000', '3_000', '3000ms', '\u0663'])(
    'is refused in another notation than digits, which a health check or a script would not read so: %s',
    (PORT) => {
      expect(problemsOf({ ...required, PORT })[0]).toMatch(
        /^PORT must be a whole number .* digits/,
      );
    },
  );
});

describe('a value that can never work', () => {
  it.each(['null', 'undefined', '${CLIENT_SECRET}', '$CLIENT_SECRET', '{{ client_secret }}'])(
    'is refused where a template was not filled in: %s',
    (text) => {
      expect(problemsOf({ ...required, GETBILL_CLIENT_SECRET: text })[0]).toMatch(
        /^GETBILL_CLIENT_SECRET still holds a placeholder/,
      );
    },
  );

  it('is refused: a metrics token written as the whole header', () => {
    const problems = problemsOf({ ...required, METRICS_TOKEN: 'bearer 0a1b2c3d4e5f6a7b8c9d' });
    expect(problems).toEqual(['METRICS_TOKEN begins with "Bearer"; leave that out']);
  });

  it('is refused: one pin twice, a metrics token that no header carries', () => {
    const pin = hash('sha256', 'pin', 'base64');
    const problems = problemsOf({
      ...required,
      GETBILL_TLS_PINS: `${pin},${pin}`,
      METRICS_TOKEN: 'CANARY-t\u00F6ken-0123456789',
    });
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'GETBILL_TLS_PINS',
      'METRICS_TOKEN',
    ]);
  });
});

describe('a value that merely looks like a placeholder', () => {
  it.each([
    'example-collections',
    'your-company-42',
    'placeholder-inc',
    '$kJ83hd72hskw',
    'secret-sauce',
    'changeme-never',
    'xxx1',
  ])('is taken: %s', (text) => {
    expect(
      problemsOf({ ...required, GETBILL_CLIENT_ID: text, GETBILL_CLIENT_SECRET: text }),
    ).toEqual([]);
  });
});

describe('a value that was changed on its way', () => {
  it.each<[string, string, RegExp]>([
    ['quotes that docker --env-file keeps', '"CANARY"', /begins and ends with a quote/],
    ['a quote that is lost', "CANARY'", /ends with a quote/],
    ['a carriage return', 'CANARY\r', /ends with a carriage return/],
    ['a byte order mark', '\uFEFFCANARY', /begins with a byte order mark/],
    ['a non-breaking space', 'CANARY\u00A0', /begins or ends with a space/],
    ['a zero-width space', 'CAN\u200BARY', /invisible character \(U\+200B\)/],
    ['two lines', 'CANARY\nCANARY', /more than one line/],
  ])('is described without being shown: %s', (_what, value, seen) => {
    expect(observe(value).join()).toMatch(seen);
    expect(observe(value).join()).not.toContain('CANARY');
  });

  it('is described with its number of entries, where a comma separates them', () => {
    const env = { GETBILL_CLIENT_SECRET: '"CAN,ARY"' };
    const [observation] = observeEnvironment(env, ['GETBILL_CLIENT_SECRET']);
    expect(observation?.seen).toBe(
      'begins and ends with a quote, holds 2 entries, has 9 characters',
    );
  });

  it('is described in the error, where it is one', () => {
    expect(problemsOf({ ...required, PORT: '"3000"' })[0]).toMatch(
      /^PORT .* \(it begins and ends with a quote\)/,
    );
    expect(problemsOf({ ...required, SESSION_SECRET: '"CANARY"' })[0]).toMatch(
      /begins and ends with a quote/,
    );
  });

  it.each([
    'GETBILL_CLIENT_ID',
    'GETBILL_CLIENT_SECRET',
    'SESSION_SECRET',
    'REDIS_PASSWORD',
    'GETBILL_BASE_URL',
  ])('is refused in %s where a character cannot be seen', (name) => {
    const value = name.endsWith('URL')
      ? 'https://getbill.io/\u200Bx'
      : `${random('x')}\u200B${random('y')}`;
    expect(problemsOf({ ...required, [name]: value })[0]).toContain(
      `${name} contains an invisible character (U+200B)`,
    );
  });

  it('is noticed where .env cut it at a #', () => {
    const seen = (dotenv: string, value: string) =>
      observeEnvironment({ GETBILL_CLIENT_SECRET: value }, ['GETBILL_CLIENT_SECRET'], dotenv).map(
        (one) => one.seen,
      );
    expect(seen('GETBILL_CLIENT_SECRET=abc#def\n', 'abc').join()).toContain(
      'is cut at a # in .env',
    );
    expect(seen('GETBILL_CLIENT_SECRET="abc#def"\n', 'abc#def')).toEqual([]);
    expect(seen('GETBILL_CLIENT_SECRET=abc # the new one\n', 'abc')).toEqual([]);
    expect(seen('GETBILL_CLIENT_SECRET=abc#def\n', 'from-the-shell')).toEqual([]);
  });
});

describe('a variable that nothing reads', () => {
  const seenIn = (env: Env): string[] =>
    suspicions({ ...required, ...env }).map(({ name, seen }) => `${name} ${seen}`);

  it.each([
    ['REDIS_PREFX', 'REDIS_PREFIX'],
    ['REDIS_PERFIX', 'REDIS_PREFIX'],
    ['REDIS_URI', 'REDIS_URL'],
    ['redis_url', 'REDIS_URL'],
    ['RATE_LIMIT_PAGE', 'RATE_LIMIT_PAGES'],
    ['GETBILL_TIMEOUT', 'GETBILL_TIMEOUT_MS'],
    ['SESSION_IDLE', 'SESSION_IDLE_S'],
    ['METRIC_TOKEN_FILE', 'METRICS_TOKEN_FILE'],
    ['LOGLEVEL', 'LOG_LEVEL'],
  ])('is named with the one that was meant: %s', (name, meant) => {
    expect(seenIn({ [name]: 'CANARY' })).toEqual([
      `${name} is not a variable of this app; did you mean ${meant}?`,
    ]);
  });

  it('is named where only GETBILL_ shows that it is ours', () => {
    expect(seenIn({ GETBILL_COLOUR: 'CANARY' })).toEqual([
      'GETBILL_COLOUR is not a variable of this app; docs/configuration.md lists them',
    ]);
  });

  it.each([
    'NODE_OPTIONS',
    'NODE_VERSION',
    'REDIS_VERSION',
    'REDIS_PORT',
    'REDIS_HOST',
    'HOME',
    'HOSTNAME',
    'http_proxy',
    'FTP_PROXY',
    'ALL_PROXY',
    'PATH',
    'POST',
    'SESSION_MANAGER',
    'LOG_FILE',
    'GETBILL_SERVICE_HOST',
    'GETBILL_PORT_3000_TCP_ADDR',
  ])('is left alone where another program may have set it: %s', (name) => {
    expect(seenIn({ [name]: 'x' })).toEqual([]);
  });

  it('is left alone where the one that it is close to is set, too', () => {
    expect(seenIn({ REDIS_URL: 'redis://localhost', REDIS_URI: 'redis://localhost' })).toEqual([]);
  });

  it('is named beside the fault that it causes', () => {
    const { REDIS_URL: url = '', ...others } = production;
    expect(problemsOf({ ...others, REDIS_URI: url })).toEqual([
      expect.stringMatching(/^REDIS_URL is not set/),
      'REDIS_URI is not a variable of this app; did you mean REDIS_URL?',
    ]);
  });
});

describe('a value in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gb-values-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (content: string | Buffer): string => {
    const path = join(folder, hash('sha256', content));
    writeFileSync(path, content);
    return path;
  };
  const name = 'GETBILL_CLIENT_SECRET';
  const problemsWith = (path: string): readonly string[] =>
    problemsOf({ ...required, [name]: '', [`${name}_FILE`]: path });
  const seenWith = (env: Env): string =>
    observeEnvironment(env, [name])
      .map(({ seen }) => seen)
      .join();

  it.each(['', '\n', '\uFEFF\r\n'])('that is empty is a fault of the file: %j', (content) => {
    expect(problemsWith(file(content))).toEqual([
      expect.stringContaining(`${name} is not set: ${name}_FILE names an empty file`),
    ]);
  });

  it.each([
    ['a folder', folder, ': it is a folder, as Docker makes one of a file that it cannot find'],
    ['no file', join(folder, 'missing'), ': there is none'],
    ['no text', file(Buffer.from('secret-é', 'latin1')), ': it is no UTF-8 text'],
  ])('that is %s is one fault, not also a value that is missing', (_what, path, reason) => {
    expect(problemsWith(path)).toEqual([`${name}_FILE names a file that cannot be read${reason}`]);
  });

  it('that PowerShell writes, in UTF-16, is read', () => {
    const path = file(Buffer.from('\uFEFFof-the-file\r\n', 'utf16le'));
    const { getbill } = parseConfig({ ...required, [`${name}_FILE`]: path });
    expect(getbill.clientSecrets.map((one) => one.reveal())).toEqual(['of-the-file']);
  });

  it('that holds a line of .env, or nothing where the value is optional, is noticed', () => {
    expect(seenWith({ [`${name}_FILE`]: file(`${name}=CANARY\n`) })).toBe(
      `begins with its own name, has ${name.length + 7} characters`,
    );
    expect(observeEnvironment({ METRICS_TOKEN_FILE: file('\n') }, ['METRICS_TOKEN'])).toEqual([
      {
        name: 'METRICS_TOKEN',
        seen: 'is not set: its file is empty',
        fix: 'write the value into the file, or unset METRICS_TOKEN_FILE',
      },
    ]);
  });

  it('in quotes, as the echo of Windows writes it, is noticed without being shown', () => {
    expect(seenWith({ [`${name}_FILE`]: file('"CANARY"\r\n') })).toBe(
      'begins and ends with a quote, has 8 characters',
    );
    expect(seenWith({ [`${name}_FILE`]: file('CANARY\r\n') })).toBe('');
    expect(seenWith({ [`${name}_FILE`]: folder })).toBe('');
  });

  it('is used instead of one in the environment, which is noticed', () => {
    const both = { ...required, [`${name}_FILE`]: file('of-the-file') };
    expect(parseConfig(both).getbill.clientSecrets.map((one) => one.reveal())).toEqual([
      'of-the-file',
    ]);
    expect(seenWith(both)).toContain(`is not used, since ${name}_FILE is set`);
  });
});

describe('a .env file in another encoding', () => {
  it.each([
    ['UTF-8 with a byte order mark', '\uFEFF# comment\nGETBILL_CLIENT_ID=client-1\n', 'utf8'],
    ['UTF-16', '\uFEFFGETBILL_CLIENT_ID=client-1\n', 'utf16le'],
  ] as const)('is named as the cause of what is missing: %s', (_name, text, encoding) => {
    const folder = mkdtempSync(join(tmpdir(), 'gb-dotenv-'));
    writeFileSync(join(folder, '.env'), Buffer.from(text, encoding));
    const script = `process.loadEnvFile('.env'); console.log(JSON.stringify(process.env))`;
    const { stdout } = spawnSync(process.execPath, ['-e', script], { cwd: folder, env: {}, encoding: 'utf8' }); // prettier-ignore
    rmSync(folder, { recursive: true });
    const env = JSON.parse(stdout) as Env;
    if (env['GETBILL_CLIENT_ID'] === 'client-1') return; // newer releases of Node read past the mark of UTF-8
    const problems = problemsOf({ ...required, GETBILL_CLIENT_ID: '', ...env });
    expect(problems[0]).toMatch(/^\.env begins with a byte order mark, .*save it as UTF-8/);
    expect(problems[1]).toMatch(/^GETBILL_CLIENT_ID is not set/);
  });
});

describe('HOST', () => {
  it.each(['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost', 'app.internal', 'web-1'])(
    'takes %s',
    (HOST) => {
      expect(parseConfig({ ...required, HOST }).host).toBe(HOST);
    },
  );

  it.each([
    ['x86_64-conda-linux-gnu', /neither an address nor a host name/],
    ['[::1]', /brackets/],
    ['localhost:3000', /contains a port; PORT/],
    ['[::1]:3000', /contains a port/],
    ['http://localhost', /is a URL/],
    ['a b', /neither/],
  ])('refuses %s, and says that the shell may have set it', (HOST, what) => {
    const problems = problemsOf({ ...required, HOST });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(what);
    expect(problems[0]).toMatch(/^HOST .*unset HOST/);
  });
});

describe('a URL that can be parsed and not be used', () => {
  it.each<[string, string, RegExp]>([
    ['REDIS_URL', 'redis://:100%CANARY@localhost', /bare %/],
    ['REDIS_URL', 'redis://CANARY:12/34@host:6379/0', /user or password.*write \/ as %2F/],
    ['REDIS_URL', 'redis://CANARY:12?34@host', /user or password.*\? as %3F/],
    ['REDIS_URL', 'redis://CANARY:12#34@host', /user or password.*# as %23/],
    ['REDIS_URL', 'redis://:CANARY/34@host', /in a password write \/ as %2F/],
    ['REDIS_URL', 'redis://a:1,redis://:CANARY@b:2', /more than one URL/],
    ['HTTPS_PROXY', 'http://CANARY:12/34@proxy:3128', /user or password.*write \/ as %2F/],
    ['REDIS_SENTINELS', 'redis://a:1,redis://CANARY:12/34@b', /user or password.*\(entry 2/],
    [
      'REDIS_SENTINELS',
      'redis://:CAN,ARY@a:1',
      /entry 1: a comma separates entries, %2C is a comma/,
    ],
    ['REDIS_CLUSTER_NODES', 'redis://a:1;redis://:CANARY@b:2', /more than one.*a comma separates/],
    ['REDIS_CLUSTER_NODES', 'redis://a:1,redis://:%CANARY@b:2', /bare %/],
    ['REDIS_SENTINELS', 'redis://us%er:CANARY@a:1', /bare %/],
    ['REDIS_URL', 'redis://', /names no host/],
    ['REDIS_URL', 'redis:///1', /names no host/],
    ['REDIS_URL', 'redis:CANARY', /names no host/],
    ['REDIS_URL', 'redis://localhost:0', /port 0/],
    ['REDIS_URL', 'redis://localhost/CANARY', /no database number/],
    ['REDIS_URL', 'redis://localhost/1/2', /no database number/],
    ['REDIS_URL', 'redis://localhost/0?db=2', /query/],
    ['REDIS_URL', 'redis://:pa#CANARY@localhost', /names no host|fragment|must be a URL/],
    ['REDIS_URL', 'redis://:pa/CANARY@localhost:6379', /password write \/ as %2F/],
    ['HTTPS_PROXY', 'http://user:pa?CANARY@proxy:3128', /password write .*\? as %3F/],
    ['REDIS_URL', 'unix://run/redis.sock', /names a host before its path: write unix:\/\/\/path/],
    ['REDIS_URL', 'unix:', /path of a socket/],
    ['REDIS_URL', 'unix://', /path of a socket/],
    ['REDIS_URL', 'unix:///', /path of a socket/],
    ['REDIS_URL', 'redis://ho%73t', /host name/],
    ['REDIS_SENTINELS', 'unix:///run/redis.sock', /starting with redis:/],
    ['REDIS_CLUSTER_NODES', 'unix:///run/redis.sock', /starting with redis:/],
    ['REDIS_SENTINELS', 'redis://a,redis://b/CANARY', /has a path; leave it out: .*database 0/],
    ['REDIS_CLUSTER_NODES', 'redis://a/1', /has a path; leave it out: .*database 0/],
    ['GETBILL_BASE_URL', 'https://user:CANARY@getbill.io', /user or password/],
    ['GETBILL_BASE_URL', 'https://getbill.io/?x=CANARY', /query/],
    ['GETBILL_BASE_URL', 'https://getbill.io/#CANARY', /fragment/],
    ['GETBILL_BASE_URL', 'https://getbill.io:0', /port 0/],
    ['GETBILL_BASE_URL', 'https://getbill.io:99999', /, then a valid host and port/],
    ['HTTPS_PROXY', 'http://DOMAIN\\user:CANARY@proxy:3128', /\\ as %5C/],
    ['HTTPS_PROXY', 'http://user:100%CANARY@proxy:3128', /bare %/],
    ['HTTP_PROXY', 'http://proxy:0', /port 0/],
    ['GETBILL_API_URL', 'https://getbill.io/a?b', /query/],
    ['GETBILL_TOKEN_URL', 'https://getbill.io/a#b', /fragment/],
    [
      'GETBILL_AUTHORIZE_URL',
      'https://getbill.io/a?p=1&response_mode=form_post',
      /has response_mode/,
    ],
    ['GETBILL_AUTHORIZE_URL', 'https://getbill.io/a?response_mode=fragment', /has response_mode/],
    ['GETBILL_AUTHORIZE_URL', 'https://getbill.io/a?response_type=token', /has response_type/],
    ['GETBILL_AUTHORIZE_URL', 'https://getbill.io/a?code_challenge=x', /has code_challenge /],
    ['GETBILL_AUTHORIZE_URL', 'https://getbill.io/a?request_uri=urn:x', /has request_uri/],
    ['GETBILL_TOKEN_URL', 'https://getbill.io/a?client_secret=CANARY', /has client_secret/],
    ['GETBILL_REVOKE_URL', 'https://getbill.io/a?token=CANARY', /has token /],
    ['GETBILL_TOKEN_URL', 'https://getbill.io/%', /bare %/],
    ['GETBILL_TOKEN_URL', 'https://get\tbill.io/a', /invisible character \(U\+0009\)/],
    ['GETBILL_TOKEN_URL', 'https://getbill.io/a b', /space/],
    ['PUBLIC_URL', 'http://CANARY@localhost:3000', /user or password/],
    ['PUBLIC_URL', 'http://localhost:3000/#a', /fragment/],
    ['PUBLIC_URL', 'http://localhost:3000/?a', /query/],
    ['PUBLIC_URL', 'https://..', /host/],
    ['PUBLIC_URL', 'https://connect..example.com', /host/],
    ['PUBLIC_URL', 'https://.example.com', /host/],
    ['PUBLIC_URL', 'https://*.example.com', /host/],
    ['PUBLIC_URL', 'https://connect.example.com.', /ends with a dot/],
    ['PUBLIC_URL', 'https://connect.example.com:0', /port 0/],
    ['PUBLIC_URL', 'http://[fe80::1%25eth0]:3000', /valid host/],
    ['REDIS_SENTINELS', 'redis://a,redis://..', /host/],
  ])('is a fault of %s: %s', (name, value, what) => {
    const problems = problemsOf({ ...required, [name]: value });
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([name]);
    expect(problems[0]).toMatch(what);
  });

  it.each([
    ['REDIS_URL', 'redis://us%25er:p%23%2C%40@localhost/15'],
    ['REDIS_URL', 'rediss://[::1]:6380'],
    ['REDIS_URL', 'unix://user:secret@localhost/run/redis.sock'],
    ['REDIS_SENTINELS', 'redis://a,redis://b/'],
    ['REDIS_URL', 'redis://redis.default.svc.cluster.local.'],
    ['GETBILL_TOKEN_URL', 'https://getbill.io/oauth/token?tenant=1'],
    ['GETBILL_AUTHORIZE_URL', 'https://getbill.io/a?response_mode=query&prompt=login&states='],
    ['GETBILL_BASE_URL', 'https://m\u00FCller.example'],
    ['GETBILL_BASE_URL', ' https://getbill.io \r'],
  ])('is taken where it can be used: %s=%s', (name, value) => {
    expect(problemsOf({ ...required, [name]: value })).toEqual([]);
  });

  it('is one fault in production, too', () => {
    expect(problemsOf({ ...production, PUBLIC_URL: 'connect.example.com' })).toHaveLength(1);
  });

  it('may be that of a host of GETBILL_ALLOW_HTTP_HOSTS in any case', () => {
    const plain = { GETBILL_BASE_URL: 'http://Sandbox:4000', GETBILL_ALLOW_HTTP_HOSTS: 'SANDBOX' };
    expect(problemsOf({ ...required, ...plain })).toEqual([]);
  });

  it.each(['', '/', '//', '?', '/?', '#', '/#', '/?#'])(
    'leads to the same endpoints with %j at its end',
    (end) => {
      const { getbill } = parseConfig({
        ...required,
        GETBILL_BASE_URL: `https://getbill.io${end}`,
      });
      expect(getbill.tokenUrl.href).toBe('https://getbill.io/oauth/token');
      expect(getbill.authorizeUrl.href).toBe('https://getbill.io/oauth/authorize');
      expect(getbill.apiUrl.href).toBe('https://getbill.io/external-api/v1');
    },
  );

  it('names a socket whose path has characters that a URL encodes', () => {
    const { redis } = parseConfig({ ...required, REDIS_URL: 'unix:///run/my%20redis/a%25.sock' });
    const client = redis && createRedis(redis);
    expect(client?.options).toMatchObject({ path: '/run/my redis/a%.sock' });
    client?.disconnect();
  });

  it('says that the spelling of the host differs, where a browser would see the same one', () => {
    const env = {
      ...production,
      PUBLIC_URL: 'https://m\u00FCller.example',
      GETBILL_REDIRECT_URI: 'https://m\u00FCller.example/oauth/callback',
    };
    expect(problemsOf(env)[0]).toMatch(/^GETBILL_REDIRECT_URI .*spelling differs.*xn--/);
  });

  it.each([
    ['http://localhost:3000/oauth/callback?CANARY=1', 'query differs'],
    ['http://localhost:3000/oauth/callback#CANARY', 'fragment differs'],
    ['http://CANARY@localhost:3000/oauth/callback', 'user differs'],
    ['http://:CANARY@localhost:3001/oauth/callback', 'password, port differ'],
    ['http://localhost:3000/oauth/callback?', 'the spelling differs'],
  ])('names the part of the redirect URI that differs: %s', (GETBILL_REDIRECT_URI, said) => {
    const problems = problemsOf({ ...required, GETBILL_REDIRECT_URI });
    expect(problems).toEqual([expect.stringContaining(`but ${said}`)]);
  });
});

describe('TRUST_PROXY', () => {
  it.each(['redis://10.0.0.1', '::/129', '10.0.0.0/8/8'])(
    'refuses %j, which is no network',
    (text) => {
      expect(problemsOf({ ...required, TRUST_PROXY: text })[0]).toMatch(
        /^TRUST_PROXY must be a number or a list/,
      );
    },
  );

  it.each(['1000', '11', '9'.repeat(400), '0.0.0.0/1', '128.0.0.0/1', '10.0.0.0/7', '::/0', '::/80', '::/16', '0:0::/72', '2000::/3', '::ffff:0:0/96', '10.0.0.1,0.0.0.0/0'])(
    'refuses %s, since any visitor could choose an address',
    (TRUST_PROXY) => {
      expect(problemsOf({ ...required, TRUST_PROXY })[0]).toMatch(/^TRUST_PROXY .*any visitor could choose/);
    },
  ); // prettier-ignore

  it.each(['10.0.0.1 10.0.0.2', '10.0.0.1;10.0.0.2', ','])(
    'says how entries are separated: %j',
    (TRUST_PROXY) => {
      expect(problemsOf({ ...required, TRUST_PROXY })[0]).toMatch(/^TRUST_PROXY .*commas/);
    },
  );

  it.each(['10.0.0.1,', ' ,10.0.0.1 , '])(
    'ignores empty entries, as other lists do: %j',
    (text) => {
      expect(parseConfig({ ...required, TRUST_PROXY: text }).trustProxy).toEqual(['10.0.0.1']);
    },
  );

  it.each([
    '10',
    '10.0.0.0/8',
    'fc00::/7',
    'fe80::/10',
    '2001:db8::/32',
    '::1/128',
    'loopback,uniquelocal',
  ])('takes %s', (TRUST_PROXY) => {
    expect(problemsOf({ ...required, TRUST_PROXY })).toEqual([]);
  });
});

describe('production refuses secrets that protect nothing', () => {
  const key = (bytes: Iterable<number>): string => Buffer.from([...bytes]).toString('base64');
  const other = random('CANARY other');

  it.each<[string, Env, string]>([
    ['a key of zeros', { TOKEN_ENCRYPTION_KEY: key(Array<number>(32).fill(0)) }, 'TOKEN_ENCRYPTION_KEY'],
    ['a key of one byte', { TOKEN_ENCRYPTION_KEY: key(Array<number>(32).fill(171)) }, 'TOKEN_ENCRYPTION_KEY'],
    ['a key that counts', { TOKEN_ENCRYPTION_KEY: key(Array(32).keys()) }, 'TOKEN_ENCRYPTION_KEY'],
    ['a key that counts down', { TOKEN_ENCRYPTION_KEY: key([...Array(32).keys()].reverse()) }, 'TOKEN_ENCRYPTION_KEY'],
    ['a key that repeats', { TOKEN_ENCRYPTION_KEY: btoa('0123456789abcdef0123456789abcdef') }, 'TOKEN_ENCRYPTION_KEY'],
    ['a session secret that is the alphabet', { SESSION_SECRET: 'abcdefghijklmnopqrstuvwxyz012345' }, 'SESSION_SECRET'],
    ['a session secret that begins again', { SESSION_SECRET: 'CANARY-qwertyuiopasdfgh-CANARY-qw' }, 'SESSION_SECRET'],
    ['a key that is the alphabet', { TOKEN_ENCRYPTION_KEY: btoa('zyxwvutsrqponmlkjihgfedcba987654') }, 'TOKEN_ENCRYPTION_KEY'],
    ['one secret for session and Redis', { SESSION_SECRET: other, REDIS_URL: `rediss://:${encodeURIComponent(other)}@redis` }, 'SESSION_SECRET'],
    ['a metrics token of one digit', { METRICS_TOKEN: '0'.repeat(16) }, 'METRICS_TOKEN'],
    ['a metrics token that counts', { METRICS_TOKEN: '1234567890123456' }, 'METRICS_TOKEN'],
    ['an old key of zeros', { TOKEN_ENCRYPTION_KEY: `${other},${key(Array<number>(32).fill(0))}` }, 'TOKEN_ENCRYPTION_KEY'],
    ['a session secret of one letter', { SESSION_SECRET: 's'.repeat(32) }, 'SESSION_SECRET'],
    ['a session secret of three letters', { SESSION_SECRET: 'cabacbbcacabbacbcaacbabccbabcacb' }, 'SESSION_SECRET'],
    ['a session secret that repeats', { SESSION_SECRET: 'CANARY-1234-'.repeat(4) }, 'SESSION_SECRET'],
    ['the session secret of the compose demo', { SESSION_SECRET: 'demo-only-session-value-0123456789abcdef' }, 'SESSION_SECRET'],
    ['the key of the compose demo', { TOKEN_ENCRYPTION_KEY: 'ZGVtby1vbmx5LWtleS1mb3ItaW52ZW50ZWQtZGF0YSE=' }, 'TOKEN_ENCRYPTION_KEY'],
    ['the client secret of the sandbox', { GETBILL_CLIENT_SECRET: 'sandbox-secret-7c1f0e5ad2b94c36' }, 'GETBILL_CLIENT_SECRET'],
    ['one secret for session and key', { SESSION_SECRET: other, TOKEN_ENCRYPTION_KEY: other }, 'SESSION_SECRET'],
    ['one secret for session and client', { SESSION_SECRET: other, GETBILL_CLIENT_SECRET: other }, 'SESSION_SECRET'],
    ['one secret for metrics and key', { METRICS_TOKEN: other, TOKEN_ENCRYPTION_KEY: other }, 'TOKEN_ENCRYPTION_KEY'],
  ])('%s', (_what, change, name) => {
    expect(problemsOf({ ...production, ...change }).map((problem) => problem.split(' ')[0])).toEqual([name]);
    const development = { NODE_ENV: 'development', PUBLIC_URL: 'http://localhost:3000' };
    expect(problemsOf({ ...production, ...change, ...development })).toEqual([]);
  }); // prettier-ignore

  it('and takes what openssl makes', () => {
    for (let index = 0; index < 200; index += 1) {
      const env = {
        SESSION_SECRET: random(`s${index}`),
        TOKEN_ENCRYPTION_KEY: random(`k${index}`),
      };
      expect(problemsOf({ ...production, ...env })).toEqual([]);
    }
    for (let index = 0; index < 200; index += 1) {
      const METRICS_TOKEN = hash('sha256', `m${index}`).slice(0, 16);
      expect(problemsOf({ ...production, METRICS_TOKEN })).toEqual([]);
    }
    expect(
      problemsOf({ ...production, SESSION_SECRET: '9f86d081884c7d659a2feaa0c55ad015' }),
    ).toEqual([]);
  });
});

describe('a value of another kind than the variable wants', () => {
  it.each([
    'http://sandbox',
    'sandbox:4000',
    'sandbox/',
    'other,http://sandbox:4000',
    'a b',
    '::1',
    '*.local',
    '..',
  ])(
    'is refused in GETBILL_ALLOW_HTTP_HOSTS, where it would allow nothing: %s',
    (GETBILL_ALLOW_HTTP_HOSTS) => {
      expect(problemsOf({ ...required, GETBILL_ALLOW_HTTP_HOSTS })[0]).toMatch(
        /^GETBILL_ALLOW_HTTP_HOSTS must be host names, without scheme or port/,
      );
    },
  );

  it.each(['sandbox', 'SandBox,other_host', '10.0.0.1', '[fd00::1]'])(
    'is not %s in GETBILL_ALLOW_HTTP_HOSTS',
    (GETBILL_ALLOW_HTTP_HOSTS) => {
      expect(problemsOf({ ...required, GETBILL_ALLOW_HTTP_HOSTS })).toEqual([]);
    },
  );

  it.each(['getbill.io', 'true', 'GetBill', 'getbill.io:443', 'https:getbill.io', 'mailto:x'])(
    'is refused in GETBILL_ISSUER: %s',
    (GETBILL_ISSUER) => {
      expect(problemsOf({ ...required, GETBILL_ISSUER })[0]).toMatch(
        /^GETBILL_ISSUER must be a URL/,
      );
    },
  );

  it.each(['/oauth', '/oauth/token', '/oauth/authorize/', '/external-api', '/external-api/v1/', '/v/external-api/v1', '/token', '/external-api/v1/company/profile', '/oauth/v2'])(
    'is refused in GETBILL_BASE_URL, to which the app adds that path: %s',
    (path) => {
      const GETBILL_BASE_URL = `https://getbill.io${path}`;
      expect(problemsOf({ ...required, GETBILL_BASE_URL })[0]).toMatch(
        /^GETBILL_BASE_URL has a path that the app adds itself; .*https:\/\/getbill\.io/,
      );
    },
  ); // prettier-ignore

  it('is no path in front of that of GetBill', () => {
    const config = parseConfig({
      ...required,
      GETBILL_BASE_URL: 'https://gateway.example/getbill/',
    });
    expect(config.getbill.tokenUrl.href).toBe('https://gateway.example/getbill/oauth/token');
  });
});

describe('production rules that a PUBLIC_URL has turned on', () => {
  it.each(['http://192.168.1.4:3000', 'https://connect.example.com'])(
    'say so once, since NODE_ENV does not: %s',
    (PUBLIC_URL) => {
      const said = /production rules .*PUBLIC_URL .*loopback/;
      for (const NODE_ENV of ['development', '']) {
        const problems = problemsOf({ ...required, NODE_ENV, PUBLIC_URL });
        expect(problems.filter((text) => said.test(text))).toHaveLength(1);
      }
      const plain = problemsOf({ ...required, NODE_ENV: 'production', PUBLIC_URL });
      expect(plain.filter((text) => said.test(text))).toEqual([]);
    },
  );
});
