import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** One planted import per rule of .dependency-cruiser.cjs. */
const breaches: Record<string, { file: string; imports: string }> = {
  'main-imports': { file: 'src/main.ts', imports: './core/tokens/leases.js' },
  'server-imports': { file: 'src/server.ts', imports: './services.js' },
  'services-imports': { file: 'src/services.ts', imports: './web/return-to.js' },
  'app-imports': { file: 'src/app.ts', imports: './core/tokens/leases.js' },
  'web-imports': { file: 'src/web/session/cookies.ts', imports: '../../telemetry/log.js' },
  'core-imports': { file: 'src/core/tokens/leases.ts', imports: '../../events.js' },
  'redis-imports': { file: 'src/redis/client.ts', imports: '../limits/shared-limits.js' },
  'limits-imports': { file: 'src/limits/shared-limits.ts', imports: '../getbill/quota.js' },
  'getbill-imports': { file: 'src/getbill/quota.ts', imports: '../web/return-to.js' },
  'oauth-explanations-imports': {
    file: 'src/oauth-explanations.ts',
    imports: './core/oauth/token-set.js',
  },
  'error-facts-imports': { file: 'src/error-facts.ts', imports: './telemetry/log.js' },
  'telemetry-imports': { file: 'src/telemetry/log.ts', imports: '../core/storage/key-value.js' },
  'flow-inspector-imports': {
    file: 'src/flow-inspector/recorder/recorder.ts',
    imports: '../../getbill/quota.js',
  },
  'webhooks-imports': { file: 'src/webhooks/signature.ts', imports: '../telemetry/log.js' },
  'tour-imports': { file: 'src/tour/counts.ts', imports: '../telemetry/log.js' },
  'explorer-imports': { file: 'src/explorer/confirmations.ts', imports: '../telemetry/log.js' },
  'cli-imports': { file: 'src/cli/breach.ts', imports: '../web/session/cookies.js' },
  leaves: { file: 'src/errors.ts', imports: './core/oauth/token-set.js' },
  'config-knows-only-errors': { file: 'src/config/config.ts', imports: '../events.js' },
  'routes-and-middleware-apart': {
    file: 'src/web/routes/login.ts',
    imports: '../middleware/csrf.js',
  },
  'web-takes-no-adapters': {
    file: 'src/web/session/session.ts',
    imports: '../../core/storage/redis.js',
  },
  'core-packages': { file: 'src/core/tokens/leases.ts', imports: 'express' },
  'ioredis-is-optional': { file: 'src/core/tokens/token-manager.ts', imports: 'ioredis' },
  'no-cycles': { file: 'src/core/storage/cipher.ts', imports: '../tokens/token-manager.js' },
  'sandbox-apart': { file: 'sandbox/sandbox.ts', imports: '../src/errors.js' },
  'app-without-sandbox': { file: 'src/web/access.ts', imports: '../../sandbox/sandbox.js' },
  'no-dev-dependencies': { file: 'src/telemetry/audit.ts', imports: 'oidc-provider' },
  resolvable: { file: 'src/telemetry/log.ts', imports: './nowhere.js' },
};

interface Cruise {
  summary: {
    violations: { rule: { name: string } }[];
    ruleSetUsed: { forbidden: { name: string }[] };
  };
}

function cruise(folder: string): Cruise {
  const depcruise = resolve('node_modules/.bin/depcruise');
  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src', 'sandbox'];
  const { stdout } = spawnSync(depcruise, args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  return JSON.parse(stdout) as Cruise;
}

describe('the layers', () => {
  it('turn every planted breach into a failure of its own rule', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gb-layers-'));
    try {
      for (const name of [
        'src',
        'sandbox',
        '.dependency-cruiser.cjs',
        'tsconfig.json',
        'package.json',
      ]) {
        cpSync(name, join(folder, name), { recursive: true });
      }
      symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
      for (const { file, imports } of Object.values(breaches)) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), `import '${imports}';\n`, { flag: 'a' });
      }
      const { violations, ruleSetUsed } = cruise(folder).summary;
      const caught = new Set(violations.map(({ rule }) => rule.name));
      expect(
        ruleSetUsed.forbidden.map(({ name }) => name).filter((name) => !caught.has(name)),
      ).toEqual([]);
      expect(Object.keys(breaches).sort()).toEqual(
        ruleSetUsed.forbidden.map(({ name }) => name).sort(),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});
