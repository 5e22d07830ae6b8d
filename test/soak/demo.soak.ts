import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { until } from '../process/support/until.js';
import { freePort } from '../support/free-port.js';

const isAlive = (pid: number): boolean => spawnSync('kill', ['-0', String(pid)]).status === 0;

it('a running demo serves doctor and command line without .env; at its end the child that does not end is killed', async () => {
  const [port, sandboxPort] = [await freePort(), await freePort()];
  const environment = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
  const demo = spawn(process.execPath, ['--import', 'tsx', 'scripts/demo.ts'], {
    env: { ...environment, PORT: String(port), SANDBOX_PORT: String(sandboxPort) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  demo.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until('the demo has started', () => said.includes('Ctrl-C stops both'), {
    withinMs: 60_000,
  });
  expect(existsSync('.demo/running.json')).toBe(true);

  for (const [script, ...args] of [['doctor'], ['getbill', 'company', 'profile']]) {
    const run = spawnSync(process.execPath, ['--import', 'tsx', `src/cli/${script}.ts`, ...args], {
      env: environment,
      encoding: 'utf8',
    });
    expect(run.stderr).toContain(`using the demo's sandbox at http://localhost:${sandboxPort}`);
    expect(`${run.stdout} ${run.status}`).toMatch(/ 0$/);
  }

  const children = execFileSync('pgrep', ['-P', String(demo.pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);
  expect(children).toHaveLength(2);
  const [stuck = 0] = children;
  process.kill(stuck, 'SIGSTOP');
  demo.kill('SIGTERM');
  await once(demo, 'exit');
  expect(children.filter(isAlive)).toEqual([]);
  expect(existsSync('.demo/running.json')).toBe(false);
});
