import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { codeOf, startForeignApp, type Project } from '../package/support/core-page.js';
import { describeTheAppOfThePage } from '../package/support/core-page-suite.js';
import { installIn, pack, run, runModelOver } from '../package/support/packed.js';
import { startRedis } from '../support/redis-server.js';

const EXPIRIES = 20;
const CALLS = 150;

let packed: ReturnType<typeof pack>;
let project: Project;
beforeAll(() => {
  packed = pack();
  project = installIn(packed.tarball);
});
afterAll(() => {
  project.close();
  packed.close();
});

const bin = (name: string): string => resolve('node_modules', '.bin', name);
const installedAt = (): string =>
  realpathSync(join(project.folder, 'node_modules/getbill-connect'));

describe('the packed tarball', () => {
  it('is found in order by publint', () => {
    const { ok, output } = run(bin('publint'), ['run', packed.tarball, '--strict']);
    expect([ok, output]).toEqual([true, expect.stringContaining('All good!')]);
  });

  it('has types that resolve for every way to import it (ES modules only)', () => {
    const { ok, output } = run(bin('attw'), ['--profile', 'esm-only', packed.tarball]);
    expect([ok, output]).toEqual([true, expect.any(String)]);
  });

  it('needs oauth4webapi and nothing else', () => {
    const manifest = JSON.parse(
      readFileSync(join(installedAt(), 'package.json'), 'utf8'),
    ) as Record<string, object>;
    expect(Object.keys(manifest['dependencies'] ?? {})).toEqual(['oauth4webapi']);
    expect(manifest['peerDependenciesMeta']).toEqual({ ioredis: { optional: true } });
  });

  it('leaves the package.json of the app as it was', () => {
    expect(readFileSync(join(dirname(packed.tarball), 'package.json'), 'utf8')).toBe(
      readFileSync('package.json', 'utf8'),
    );
  });

  it('brings the source that every map of it names', () => {
    const maps = readdirSync(join(installedAt(), 'dist'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.map'))
      .map((name) => join(installedAt(), 'dist', name));
    expect(maps.some((file) => file.endsWith('core/index.d.ts.map'))).toBe(true);
    const missing = maps.filter((file) => {
      const { sources } = JSON.parse(readFileSync(file, 'utf8')) as { sources: string[] };
      return !sources.every((source) => existsSync(join(dirname(file), source)));
    });
    expect(missing).toEqual([]);
  });

  it('can be required by a CommonJS module', () => {
    const [core, redis] = ['getbill-connect/core', 'getbill-connect/core/redis'];
    const program = `console.log(typeof require('${core}').createOAuthClient, typeof require('${redis}').createRedisKeyValue)`;
    const { output } = run(process.execPath, ['-e', program], project.folder);
    expect(output).toBe('function function\n');
  });

  it.each(['dist/core/events.d.ts', 'src/core/events.ts'])(
    'names no type parameters of a TracingChannel in %s: they changed places in later versions of @types/node',
    (name) => {
      const text = readFileSync(join(installedAt(), name), 'utf8');
      expect(text).not.toMatch(/tracingChannel</i);
    },
  );

  it('type-checks in a strict program that checks the declarations, too', () => {
    const program = `
      import { createMemoryKeyValue, createOAuthClient, type KeyValue, type OAuthClient } from 'getbill-connect/core';
      import { createRedisKeyValue } from 'getbill-connect/core/redis';
      import { Redis } from 'ioredis';
      export const storage: KeyValue = createRedisKeyValue({ redis: new Redis({ lazyConnect: true }) });
      export const getbill: OAuthClient = createOAuthClient({
        provider: {
          authorizeUrl: new URL('https://getbill.test/authorize'),
          tokenUrl: new URL('https://getbill.test/token'),
          clientId: 'id',
          clientSecrets: [{ reveal: () => 'secret' }],
          redirectUri: 'https://app.test/callback',
          scopes: [],
        },
        storage: createMemoryKeyValue(),
        encryptionKeys: [Buffer.alloc(32)],
        report: (event) => console.log(event.type),
      });
      // @ts-expect-error a grant has a name
      void getbill.tokens.fresh(7);
    `;
    writeFileSync(join(project.folder, 'program.ts'), program);
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2023',
      lib: ['es2023'],
      strict: true,
      noEmit: true,
      types: ['node'],
      typeRoots: [resolve('node_modules/@types')],
    };
    writeFileSync(
      join(project.folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['program.ts'] }),
    );
    expect(run(bin('tsc'), ['-p', '.'], project.folder).output).toBe('');
  });
});

describe(`the app of docs/core.md over the tarball, on Node ${process.versions.node}`, () => {
  describeTheAppOfThePage(() => project);
});

describe('three processes over the tarball and Redis', () => {
  /** The app of the page on the storage of "Several processes"; its sessions are a header, which all processes know. */
  const overRedis = (page: string): string => {
    const edited = page
      .replace(/^const storage = .*$/m, codeOf('Several processes'))
      .replace(
        /^app\.use\(session\(.*$/m,
        "app.use((req, res, next) => { req.session = { grantId: req.get('x-person') }; next(); });",
      );
    expect([edited.includes('createMemoryKeyValue()'), edited.includes('x-person')]).toEqual([
      false,
      true,
    ]);
    return edited;
  };

  it(`renew once per expiry, ${EXPIRIES} times under ${CALLS} calls each`, async () => {
    const redis = await startRedis();
    const foreign = await startForeignApp(project, overRedis);
    const { control } = foreign.sandbox;
    control.set({ limitReads: 1_000_000 });
    try {
      const env = { REDIS_URL: redis.url };
      const apps = await Promise.all([foreign.start(env), foreign.start(env), foreign.start(env)]);
      const headers = { 'x-person': 'Ann' };
      const [first] = apps;
      const browser = first.browser();
      const { location = '' } = await browser.get('/connect', headers);
      expect((await browser.get(await browser.approve(location), headers)).location).toBe(
        '/company',
      );

      for (let expiry = 0; expiry < EXPIRIES; expiry++) {
        control.set({ oldAccessTokenDies: expiry % 2 === 0 });
        control.expireAccessTokens();
        const before = control.state().counters.tokenByGrant.refresh_token;
        const calls = Array.from({ length: CALLS }, (_, index) =>
          (apps[index % apps.length] ?? first).browser().get('/company', headers),
        );
        const statuses = (await Promise.all(calls)).map(({ status }) => status);
        expect(statuses).toEqual(Array(CALLS).fill(200));
        expect([expiry, control.state().counters.tokenByGrant.refresh_token - before]).toEqual([
          expiry,
          1,
        ]);
      }
      expect(control.state().counters.refreshReuse).toBe(0);
    } finally {
      await foreign.close();
      await redis.close();
    }
  });
});

describe('the model of the renewal over the tarball', () => {
  it('keeps its promises, and finds the planted faults', () => {
    const { ok, output } = runModelOver(join(installedAt(), 'dist/core'), { seeds: 2_000 });
    expect([ok, output]).toEqual([true, expect.stringContaining('seeds 1 to 2000')]);
  });

  it('sees a fault in the code of the package itself: it is that code which runs', () => {
    const copy = join(project.folder, 'node_modules/getbill-connect-with-fault/dist/core');
    cpSync(join(installedAt(), 'dist/core'), copy, { recursive: true });
    const file = join(copy, 'tokens/renew-under-lease.js');
    const sound = readFileSync(file, 'utf8');
    const faulty = sound.replace('const old = await records.read(grantId)', 'const old = seen');
    expect(faulty).not.toBe(sound);
    writeFileSync(file, faulty);
    const { ok, output } = runModelOver(copy, { seeds: 300 });
    expect([ok, output]).toEqual([false, expect.stringContaining('(a) spent twice')]);
  });
});
