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

/** Set in the image, refused in production, of a Redis that is not the one of the file, or the path of a file outside. */
const NOT_PASSED =
  /^(HOST|PORT|FLOW_INSPECTOR|TOUR|GETBILL_ALLOW_HTTP_HOSTS|REDIS_(CLUSTER|SENTINEL|PASSWORD).*|\w+_CA_FILE)$/;

it('lets every variable reach the app that makes sense there', () => {
  const passed = [...service('app').matchAll(/^ {6}([A-Z][A-Z0-9_]+):/gm)].map(
    ([, name = '']) => name,
  );
  const missing = Object.keys(variables).filter(
    (name) => !NOT_PASSED.test(name) && ![name, `${name}_FILE`].some((one) => passed.includes(one)),
  );
  expect(missing).toEqual([]);
});

it('decides itself only on what the other containers decide, and passes on no path of a file that the app cannot see', () => {
  const lines = [...service('app').matchAll(/^ {6}([A-Z][A-Z0-9_]+): ?(.*)$/gm)];
  const fixed = lines.filter(([, name, value]) => value !== '' && !value?.includes(`{${name}:-`));
  expect(fixed.map(([, name]) => name).filter((name) => !name?.endsWith('_FILE'))).toEqual([
    'PUBLIC_URL',
    'NODE_ENV',
    'REDIS_ALLOW_INSECURE',
  ]);
  const files = lines.filter(([, name]) => name?.endsWith('_FILE'));
  expect(files.filter(([, , path]) => !path?.startsWith('/run/secrets/'))).toEqual([]);
});

it('gives the read-only sandbox the one folder it writes to', () => {
  expect(service('sandbox')).toMatch(/read_only: true/);
  expect(service('sandbox')).toMatch(/tmpfs: \[\/tmp\]/);
});
