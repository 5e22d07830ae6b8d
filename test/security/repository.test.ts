import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';

interface Package {
  name?: string;
  version?: string;
  resolved?: string;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
  link?: boolean;
  hasInstallScript?: boolean;
  os?: string[];
  cpu?: string[];
}

const read = (file: string): string => readFileSync(file, 'utf8');
const lock = JSON.parse(read('package-lock.json')) as {
  lockfileVersion: number;
  packages: Record<string, Package>;
};
const manifest = JSON.parse(read('package.json')) as Record<
  'dependencies' | 'devDependencies',
  Record<string, string>
>;
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
const nameOf = (path: string): string => path.split('node_modules/').at(-1) ?? '';

/** Numbers of a version, `undefined` where it is not "a.b.c". */
const numbers = (version: string): number[] => version.split(/[.-]/).slice(0, 3).map(Number); // prettier-ignore
function isAtLeast(version: string, floor: string): boolean {
  const [have, need] = [numbers(version), numbers(floor)];
  for (const [index, number] of need.entries()) {
    const mine = have[index] ?? 0;
    if (mine !== number) return mine > number;
  }
  return true;
}

describe('the lockfile', () => {
  it('[L01] pins every package with a SHA-512 sum, and names no place of its own to load one from', () => {
    expect(lock.lockfileVersion).toBe(3);
    const foreign = packages.filter(
      ([, { resolved, link }]) => link === true || resolved !== undefined,
    );
    expect(foreign.map(([path]) => path)).toEqual([]);
    // Tools' binaries for machines other than the one that wrote the file have no sum; the app's own packages all have one.
    const unsummed = packages.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
    expect(unsummed.filter(([, { dev, optional, os, cpu }]) => !(dev && optional && (os ?? cpu))).map(([path]) => path)).toEqual([]); // prettier-ignore
    for (const kind of ['dependencies', 'devDependencies'] as const) {
      for (const range of Object.values(manifest[kind]))
        expect(range).toMatch(/^(npm:[@\w./-]+@)?\d+\.\d+\.\d+$/);
    }
  });

  it('[L02] holds no version with a known fault', () => {
    const floors: Record<string, string> = { express: '5.2.0', 'body-parser': '2.3.0', qs: '6.14.1', cookie: '0.7.0', 'on-headers': '1.1.0', 'express-session': '1.18.2', 'path-to-regexp': '8.0.0', undici: '7.0.0', ejs: '3.1.10', send: '1.0.0' }; // prettier-ignore
    const old = packages.filter(([path, { version = '' }]) => {
      const floor = floors[nameOf(path)];
      return floor !== undefined && !isAtLeast(version, floor);
    });
    expect(old.map(([path, { version }]) => `${path} ${version ?? ''}`)).toEqual([]);
    for (const name of [
      'express',
      'body-parser',
      'qs',
      'cookie',
      'on-headers',
      'express-session',
      'path-to-regexp',
    ]) {
      expect(packages.map(([path]) => nameOf(path))).toContain(name);
    }
  });

  it('[L03] has csurf only as its maintained fork, and no old cookie below it', () => {
    expect(manifest.dependencies['csurf']).toMatch(/^npm:@dr\.pogodin\/csurf@/);
    const csurf = packages.filter(([path]) => nameOf(path) === 'csurf');
    expect(csurf.map(([, { name }]) => name)).toEqual(['@dr.pogodin/csurf']);
    const below = packages.filter(([path]) =>
      path.startsWith('node_modules/csurf/node_modules/cookie'),
    );
    for (const [, { version = '' }] of below) expect(isAtLeast(version, '0.7.0')).toBe(true);
  });

  it('[L04] has connect-redis 8 with ioredis, which the suites run together on a real Redis', () => {
    expect(manifest.dependencies['connect-redis']).toMatch(/^8\.1\./);
    expect(manifest.dependencies['ioredis']).toMatch(/^[56]\./);
    expect(read('test/store/session-store.test.ts')).toContain('startRedis');
  });

  it('[L05] needs no install script in production', () => {
    const scripted = packages.filter(
      ([, { hasInstallScript, dev }]) => hasInstallScript === true && dev !== true,
    );
    expect(scripted.map(([path]) => path)).toEqual([]);
  });

  it('[L05] gives a CycloneDX list of what is inside, without a network', () => {
    const { status, stdout } = spawnSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only', '--offline'], { encoding: 'utf8', maxBuffer: 64 * 2 ** 20 }); // prettier-ignore
    expect(status).toBe(0);
    const { bomFormat, components } = JSON.parse(stdout) as {
      bomFormat: string;
      components: { name: string }[];
    };
    expect(bomFormat).toBe('CycloneDX');
    const names = components.map(({ name }) => name);
    for (const name of ['express', 'ioredis', 'oauth4webapi']) expect(names).toContain(name);
  });
});

describe('the repository', () => {
  const tracked = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' }).stdout.split('\n').filter((file) => file !== '' && existsSync(file)); // prettier-ignore
  const texts = tracked.filter(
    (file) => !/\.(png|svg|ico)$/.test(file) && file !== 'package-lock.json',
  );

  it('[K02] ignores .env, secrets and logs, in git and in the image', () => {
    for (const file of [
      '.env',
      '.env.local',
      '.env.production',
      'secrets/session_secret',
      'app.log',
      '.demo/x',
    ]) {
      const { status } = spawnSync('git', ['check-ignore', '-q', file]);
      expect([file, status]).toEqual([file, 0]);
    }
    expect(spawnSync('git', ['check-ignore', '-q', '.env.example']).status).toBe(1);
    const [first, ...rest] = read('.dockerignore').split('\n').filter(Boolean);
    expect(first).toBe('*'); // everything, but what is listed
    expect(rest.every((line) => line.startsWith('!'))).toBe(true);
    expect(rest.filter((line) => /env|secret|test|\.git|\*/.test(line))).toEqual([]);
    expect(
      tracked.filter((file) => /(^|\/)\.env(?!\.example)|\.(pem|key|p12|pfx)$|id_rsa/.test(file)),
    ).toEqual([]);
  });

  it('[K02] has only placeholders in .env.example', () => {
    const values = [
      ...read('.env.example').matchAll(/^#?(\w*(?:SECRET|KEY|TOKEN|CLIENT_ID|PASSWORD))=(.*)$/gm),
    ];
    expect(values.length).toBeGreaterThanOrEqual(5);
    for (const [, name, value] of values) expect([name, value]).toEqual([name, expect.stringMatching(/^(your_\w+_here)?$/)]); // prettier-ignore
  });

  it('[K02] holds nothing that looks like a secret, now or in its history', () => {
    const secret = /-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bsk_live_[A-Za-z0-9]{20,}|\bxox[baprs]-[A-Za-z0-9-]{20,}|\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}/; // prettier-ignore
    expect(texts.filter((file) => secret.test(read(file).replaceAll(secret.source, '')))).toEqual(
      [],
    );
    const { stdout } = spawnSync('git', ['log', '--all', '-p', '--no-color', '--unified=0', '--', '.', ':!package-lock.json', ':!test/security'], { encoding: 'utf8', maxBuffer: 512 * 2 ** 20 }); // prettier-ignore
    expect(stdout.split('\n').filter((line) => line.startsWith('+') && secret.test(line))).toEqual(
      [],
    );
  });

  it('[K02] serves files that hold no secret and no source map', () => {
    for (const file of readdirSync('public')) {
      expect(file).toMatch(/\.(css|js|svg|png|ico|txt)$/);
      expect(read(join('public', file))).not.toMatch(
        /secret|password|token\s*[=:]\s*['"]|sourceMappingURL/i,
      );
    }
  });
});

describe('the image', () => {
  const dockerfile = read('Dockerfile');
  const stages = dockerfile.split(/^FROM /m).slice(1);
  const production = stages.at(-1) ?? '';

  it('[L06] is built in stages from a base with a fixed major version, without development packages or install scripts', () => {
    expect(stages.length).toBeGreaterThanOrEqual(3);
    expect(/^ARG NODE_IMAGE=(.+)$/m.exec(dockerfile)?.[1]).toMatch(
      /^node:\d+[\w.-]*-slim(@sha256:[0-9a-f]{64})?$/,
    );
    expect(dockerfile).not.toContain(':latest');
    for (const line of dockerfile.match(/npm ci.*/g) ?? [])
      expect(line).toContain('--ignore-scripts');
    expect(stages.find((stage) => stage.includes('AS production-dependencies'))).toContain(
      '--omit=dev',
    );
    expect(production).toMatch(/COPY --from=production-dependencies \/app\/node_modules/);
  });

  it('[L06] runs as nobody special, and holds neither sandbox nor tests nor .env', () => {
    const user = /^USER (\S+)$/m.exec(production)?.[1];
    expect(user).toMatch(/^[1-9]\d*(:[1-9]\d*)?$|^node$/);
    const copied = [...production.matchAll(/^COPY (?:--from=\S+ )?(.+)$/gm)].map(
      ([, paths = '']) => paths,
    );
    expect(copied.filter((paths) => /sandbox|test|\.env|secrets|^\. /.test(paths))).toEqual([]);
    expect(production).not.toMatch(/SECRET|PASSWORD|_KEY/);
    expect(JSON.parse(read('tsconfig.build.json'))).toMatchObject({ include: ['src'] });
  });

  /** Each service of docker-compose.yml as its lines. */
  const services = new Map(
    (/^services:\n([\s\S]*?)^\S/m.exec(read('docker-compose.yml'))?.[1] ?? '')
      .split(/^ {2}(?=[\w-]+:$)/m)
      .filter((text) => /^[\w-]+:/.test(text))
      .map((text) => [text.slice(0, text.indexOf(':')), text] as const),
  );

  it('[L06] is run read-only, without capabilities and without a way to gain any', () => {
    expect([...services.keys()]).toEqual(expect.arrayContaining(['app', 'redis', 'proxy']));
    for (const [name, text] of services) {
      expect([name, /^ {4}read_only: true$/m.test(text)]).toEqual([name, true]);
      expect([name, /^ {4}cap_drop: \[ALL\]$/m.test(text)]).toEqual([name, true]);
      expect([name, /no-new-privileges:true/.test(text)]).toEqual([name, true]);
      expect([name, /privileged: true|network_mode: host|docker\.sock/.test(text)]).toEqual([
        name,
        false,
      ]);
    }
  });

  it('[L06] [B05] keeps Redis to itself: no port, a password, a network of its own', () => {
    const redis = services.get('redis') ?? '';
    expect(redis).not.toContain('ports:');
    expect(redis).toContain('--requirepass');
    expect(redis).toMatch(/networks: \[data\]/);
    expect(read('docker-compose.yml')).toMatch(/^ {2}data:\n {4}internal: true$/m);
    const published = [...read('docker-compose.yml').matchAll(/^ {6}- '([\d.]+):(\d+):\d+'$/gm)].map(([, host, port]) => `${host ?? ''}:${port ?? ''}`); // prettier-ignore
    expect(published.filter((one) => !one.startsWith('127.0.0.1:')).sort()).toEqual([
      '0.0.0.0:443',
      '0.0.0.0:80',
    ]);
  });
});
