import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { loadConfig } from '../../src/config/load.js';
import type { ConfigError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'gb-ca-'));
afterAll(() => rmSync(folder, { recursive: true }));

function problemsWith(content: string | Buffer): readonly string[] {
  const file = join(folder, 'ca');
  writeFileSync(file, content);
  try {
    loadConfig({
      GETBILL_CLIENT_ID: 'client-1',
      GETBILL_CLIENT_SECRET: 'a-client-secret',
      SESSION_SECRET: 'a-session-secret-0123456789abcdefgh',
      TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
      REDIS_URL: 'redis://localhost',
      GETBILL_CA_FILE: file,
      REDIS_CA_FILE: file,
    });
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
}

const [pem = ''] = rootCertificates;

it('takes the PEM text of a certificate as the file of a CA, whatever is written above it', () => {
  expect(problemsWith(pem)).toEqual([]);
  expect(problemsWith(`Our CA\n${pem}\n${rootCertificates[1] ?? ''}`)).toEqual([]);
});

it.each<[string, string | Buffer]>([
  ['a certificate in DER, of which TLS would trust nobody', new X509Certificate(pem).raw],
  ['an empty file', ''],
  ['a PEM certificate that is cut off', pem.slice(0, 200)],
])('refuses %s', (_what, content) => {
  expect(problemsWith(content)).toEqual([
    expect.stringContaining('GETBILL_CA_FILE names a file that is no readable PEM certificate'),
    expect.stringContaining('REDIS_CA_FILE names a file that is no readable PEM certificate'),
  ]);
});
