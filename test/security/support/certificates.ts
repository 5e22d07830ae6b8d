import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate for `localhost`, with its key. */
export interface Certificate {
  key: Buffer;
  cert: Buffer;
  /** For `GETBILL_TLS_PINS`. */
  pin: string;
}

/** A certificate authority that only this test knows. */
export interface Authority {
  /** For `GETBILL_CA_FILE`. */
  caFile: string;
  issue(options?: { expired?: boolean }): Certificate;
  selfSigned(): Certificate;
  remove(): void;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const LOCALHOST = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
const CONFIGURATION = `[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
rand_serial = yes
unique_subject = no
copy_extensions = copy
default_md = sha256
policy = any
[any]
commonName = supplied
`;

export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'gb-ca-'));
  const inFolder = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  writeFileSync(inFolder('ca.conf'), CONFIGURATION);
  writeFileSync(inFolder('index'), '');
  openssl('req', '-x509', ...NEW_KEY, '-days', '2', '-subj', '/CN=Authority of a test', '-keyout', 'ca.key', '-out', 'ca.pem'); // prettier-ignore

  function read(): Certificate {
    const key = readFileSync(inFolder('key.pem'));
    const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
    return {
      key,
      cert: readFileSync(inFolder('cert.pem')),
      pin: createHash('sha256').update(spki).digest('base64'),
    };
  }

  return {
    caFile: inFolder('ca.pem'),
    issue({ expired = false } = {}) {
      const [from, to] = expired ? [-3, -1] : [-1, 2];
      openssl('req', ...NEW_KEY, ...LOCALHOST, '-keyout', 'key.pem', '-out', 'request.pem');
      openssl('ca', '-config', 'ca.conf', '-batch', '-notext', '-startdate', inDays(from), '-enddate', inDays(to), '-in', 'request.pem', '-out', 'cert.pem'); // prettier-ignore
      return read();
    },
    selfSigned() {
      openssl(
        'req',
        '-x509',
        ...NEW_KEY,
        '-days',
        '2',
        ...LOCALHOST,
        '-keyout',
        'key.pem',
        '-out',
        'cert.pem',
      );
      return read();
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** As `openssl ca` writes times: 20260131235959Z. */
function inDays(days: number): string {
  const time = new Date(Date.now() + days * 86_400_000);
  return `${time.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
}
