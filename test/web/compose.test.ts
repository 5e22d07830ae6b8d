import { spawnSync } from 'node:child_process';

it('keeps docker-compose.yml free of what a linter complains about', () => {
  const { status, stdout } = spawnSync('node_modules/.bin/dclint', ['docker-compose.yml'], { encoding: 'utf8' });
  expect({ status, stdout }).toMatchObject({ status: 0 });
}, 30_000);
