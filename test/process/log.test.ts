import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildApp, type AppBuild } from './support/app-build.js';

let app: AppBuild;
beforeAll(() => {
  app = buildApp();
});
afterAll(() => app.remove());

it('the log at a terminal in development is JSON lines where pino-pretty is not installed', () => {
  const folder = join(dirname(app.main), '..');
  const modules = join(folder, 'node_modules');
  rmSync(modules);
  mkdirSync(modules);
  for (const name of readdirSync('node_modules').filter((each) => each !== 'pino-pretty'))
    symlinkSync(resolve('node_modules', name), join(modules, name));

  const url = pathToFileURL(join(folder, 'src/telemetry/log.js')).href;
  const script = `import { createLog } from '${url}';
    createLog({ level: 'info', pretty: true }).info('here');`;
  const args = ['--preserve-symlinks', '--input-type=module', '--eval', script];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ level: 30, msg: 'here' });
});
