// What the production image must be, checked with buildah and without a container engine:
// CONTRIBUTING.md, "The image". Usage: node --import tsx scripts/check-image.ts <image>
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../test/support/free-port.js';

const HEALTHY_WITHIN_MS = 20_000;
const BELONGS = ['LICENSE', 'dist', 'node_modules', 'package.json', 'public', 'views'];
const FOREIGN = /(^|\/)(test|sandbox|scripts|docs|bench|\.env[^/]*)(\/|$)|\.(map|ts)$/;
const DEVELOPMENT = ['jest', 'typescript', 'tsx', 'oidc-provider', 'playwright-core', 'oxlint'];

const [, , image = 'getbill-connect'] = process.argv;
const faults: string[] = [];
const buildah = (...args: string[]): string =>
  execFileSync('buildah', args, { encoding: 'utf8' }).trim();

interface ImageConfig {
  User?: string;
  Cmd: string[];
  Healthcheck?: { Test: string[] };
}

function checkFiles(root: string): void {
  const app = join(root, 'app');
  const extra = readdirSync(app).filter((name) => !BELONGS.includes(name));
  if (extra.length > 0) faults.push(`/app holds more than it needs: ${extra.join(', ')}`);
  const ours = readdirSync(app, { recursive: true, encoding: 'utf8' }).filter(
    (file) => !file.startsWith('node_modules'),
  );
  for (const file of ours.filter((name) => FOREIGN.test(name)))
    faults.push(`/app/${file} does not belong there`);
  const modules = readdirSync(join(app, 'node_modules'));
  for (const name of DEVELOPMENT.filter((one) => modules.includes(one)))
    faults.push(`${name} is for development only`);
  console.log(`${ours.length} files of ours, ${modules.length} packages`);
}

/** In production mode, with a Redis of its own, as the image's user. */
async function checkRun(container: string, { Cmd, Healthcheck, User }: ImageConfig): Promise<void> {
  const run = ['run', '--isolation', 'chroot'];
  const uid = buildah(...run, container, '--', 'id', '-u');
  console.log(`user ${User ?? 'unset'}, uid ${uid}`);
  if (uid === '0') faults.push('it runs as root');
  if (Healthcheck === undefined) return void faults.push('it has no HEALTHCHECK');

  const [redisPort, port] = [await freePort(), await freePort()];
  const env = {
    PORT: String(port),
    PUBLIC_URL: 'https://connect.example',
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    REDIS_ALLOW_INSECURE: 'true',
    GETBILL_CLIENT_ID: 'image-check',
    GETBILL_CLIENT_SECRET: randomBytes(16).toString('hex'),
    SESSION_SECRET: randomBytes(32).toString('base64'),
    TOKEN_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    DRAIN_DELAY_S: '0',
  };
  const withEnv = [...run, ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]), container, '--']; // prettier-ignore
  const redis = spawn('redis-server', ['--port', String(redisPort), '--save', ''], {
    stdio: 'ignore',
  });
  const app = spawn('buildah', [...withEnv, ...Cmd], {
    stdio: ['ignore', 'inherit', 'pipe'],
    detached: true,
  });
  const complaints: string[] = [];
  app.stderr.on('data', (chunk: Buffer) => complaints.push(chunk.toString()));
  try {
    const [, ...command] = Healthcheck.Test;
    const isHealthy = (): boolean =>
      spawnSync('buildah', [...withEnv, ...command], { stdio: 'ignore' }).status === 0;
    const startedMs = performance.now();
    while (!isHealthy()) {
      if (performance.now() - startedMs > HEALTHY_WITHIN_MS)
        return void faults.push(`it does not become healthy: ${complaints.join('')}`);
      await delay(500);
    }
    console.log(`healthy after ${Math.round(performance.now() - startedMs)} ms`);
  } finally {
    await end(app);
    redis.kill();
  }
}

/** The whole group: buildah starts the app behind two processes of its own. */
async function end(app: ChildProcess): Promise<void> {
  const exited = once(app, 'exit');
  if (app.pid !== undefined && app.exitCode === null) process.kill(-app.pid, 'SIGTERM');
  await exited;
}

const { Docker } = JSON.parse(buildah('inspect', '--type', 'image', image)) as {
  Docker: { config: ImageConfig };
};
const container = buildah('from', '--pull-never', image);
try {
  checkFiles(buildah('mount', container));
  await checkRun(container, Docker.config);
} finally {
  buildah('rm', container);
}
for (const fault of faults) console.error(`- ${fault}`);
if (faults.length > 0) process.exitCode = 1;
