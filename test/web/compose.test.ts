import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { variables } from '../../src/config/variables.js';

it('keeps docker-compose.yml free of what a linter complains about', () => {
  const { status, stdout } = spawnSync('node_modules/.bin/dclint', ['docker-compose.yml'], {
    encoding: 'utf8',
  });
  expect({ status, stdout }).toMatchObject({ status: 0 });
}, 30_000);

const compose = readFileSync('docker-compose.yml', 'utf8');
const service = (name: string): string =>
  compose.split(/^  (?=[\w-]+:$)/m).find((text) => text.startsWith(`${name}:`)) ?? '';

/** Set in the image, refused in production, or of a Redis that is not the one of the file. */
const NOT_PASSED =
  /^(HOST|PORT|FLOW_INSPECTOR|TOUR|GETBILL_ALLOW_HTTP_HOSTS|REDIS_(CLUSTER|SENTINEL|PASSWORD).*)$/;

it('lets every variable reach the app that makes sense there', () => {
  const passed = [...service('app').matchAll(/^ {6}([A-Z][A-Z0-9_]+):/gm)].map(
    ([, name = '']) => name,
  );
  const missing = Object.keys(variables).filter(
    (name) => !NOT_PASSED.test(name) && ![name, `${name}_FILE`].some((one) => passed.includes(one)),
  );
  expect(missing).toEqual([]);
});

it('gives the read-only sandbox the one folder it writes to', () => {
  expect(service('sandbox')).toMatch(/read_only: true/);
  expect(service('sandbox')).toMatch(/tmpfs: \[\/tmp\]/);
});
