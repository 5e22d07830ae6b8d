/// <reference types="jest" />
import { transformSync } from '@swc/core';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { defaultClientId, defaultClientSecret, startSandbox } from '../../sandbox/sandbox.js';
import { buildApp } from '../process/support/app-build.js';

const page = readFileSync('docs/background-job.md', 'utf8');
const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? [];
const [, output = ''] = /```\n\n```\n([\s\S]*?)```/.exec(page) ?? [];

it('the job in the documents runs as it stands and prints what is printed there', async () => {
  const build = buildApp();
  const sandbox = await startSandbox();
  try {
    sandbox.control.set({ api: [{ mode: 'rateLimited', retryAfterS: 1, path: '/debts' }] });
    const folder = join(dirname(build.main), '..', 'docs');
    mkdirSync(folder);
    const script = transformSync(code, {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
    });
    writeFileSync(join(folder, 'job.js'), script.code);
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'job.js')], {
      env: {
        GETBILL_CLIENT_ID: defaultClientId,
        GETBILL_CLIENT_SECRET: defaultClientSecret,
        GETBILL_BASE_URL: sandbox.origin,
        SESSION_SECRET: 's'.repeat(32),
        TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 5).toString('base64'),
      },
    });
    expect(stdout).toBe(output);
    const forms = sandbox.control.requests().filter(({ url }) => url === '/oauth/token');
    const asked = forms
      .map(({ body }) => new URLSearchParams(body))
      .map((form) => form.get('scope'));
    expect(asked).toEqual(['company:read', 'debts:read']);
  } finally {
    await sandbox.close();
    build.remove();
  }
});
