import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBrowser } from '../support/browser.js';
import { freePort } from '../support/free-port.js';
import { startTestApp } from '../support/test-app.js';
import { until } from '../support/until.js';

jest.setTimeout(30_000); // the machine may be busy

/** Plain http on loopback stands for the TLS side: the lines under test are the documents' own. */
interface Start {
  (ports: { listen: number; app: number }, folder: string): ChildProcess;
}

const startNginx: Start = ({ listen, app }, folder) => {
  const [, block = ''] =
    /```nginx\n([\s\S]*?)```/.exec(readFileSync('docs/deploying.md', 'utf8')) ?? [];
  const file = join(folder, 'nginx.conf');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const server = `server { listen 127.0.0.1:${listen}; ${block.replace(/127\.0\.0\.1:3000/, `127.0.0.1:${app}`)} }`;
  writeFileSync(
    file,
    `daemon off; pid ${folder}/pid; error_log ${folder}/error; events {} http { access_log off; ${paths.join(' ')} ${server} }`,
  );
  return spawn('nginx', ['-p', folder, '-c', file], { stdio: 'ignore' });
};

const startApache: Start = ({ listen, app }, folder) => {
  const [, block = ''] =
    /```apache\n([\s\S]*?)```/.exec(readFileSync('docs/deploying.md', 'utf8')) ?? [];
  const modules = ['mpm_event', 'authz_core', 'headers', 'proxy', 'proxy_http'].map(
    (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
  );
  const file = join(folder, 'apache.conf');
  const lines = [
    `DefaultRuntimeDir ${folder}\nPidFile ${folder}/pid\nErrorLog ${folder}/error`,
    `ServerName localhost\nListen 127.0.0.1:${listen}\nDocumentRoot ${folder}`,
    ...modules,
    block.replace('127.0.0.1:3000', `127.0.0.1:${app}`),
  ];
  writeFileSync(file, lines.join('\n'));
  return spawn('apache2', ['-DFOREGROUND', '-f', file], { stdio: 'ignore' });
};

const startHaproxy: Start = ({ listen, app }, folder) => {
  const file = join(folder, 'haproxy.cfg');
  const lines = readFileSync('deploy/haproxy.cfg', 'utf8')
    .replace(/bind :443 ssl crt \S+/, `bind 127.0.0.1:${listen}`)
    .replace('X-Forwarded-Proto https', 'X-Forwarded-Proto http')
    .replace('127.0.0.1:3000', `127.0.0.1:${app}`)
    .replace(/^ {2}server two.*\n/m, '');
  writeFileSync(file, lines);
  return spawn('haproxy', ['-f', file], { stdio: 'ignore' });
};

const startCaddy: Start = ({ listen, app }, folder) => {
  const file = join(folder, 'Caddyfile');
  const lines = readFileSync('deploy/Caddyfile', 'utf8')
    .replace('{$PUBLIC_HOST:localhost}', `http://localhost:${listen}`)
    .replace('app:3000', `127.0.0.1:${app}`);
  writeFileSync(file, `{\n\tadmin off\n}\n${lines}`);
  const env = { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  return spawn('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    stdio: 'ignore',
    env,
  });
};

describe.each([
  ['nginx', startNginx],
  ['Apache', startApache],
  ['HAProxy', startHaproxy],
  ['Caddy', startCaddy],
])('behind %s, with the lines of our own documents and on a port of its own', (_name, start) => {
  it('people sign in and out, and /metrics is not for them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gb-proxy-'));
    const listen = await freePort();
    const publicUrl = `http://localhost:${listen}`;
    const env = {
      PUBLIC_URL: publicUrl,
      TRUST_PROXY: '1',
      METRICS_TOKEN: 'metrics-token-of-this-test',
    };
    const app = await startTestApp({ env });
    const proxy = start({ listen, app: Number(new URL(app.origin).port) }, folder);
    try {
      const origin = `http://127.0.0.1:${listen}`;
      const headers = { host: new URL(publicUrl).host };
      const browser = createBrowser({ origin, publicUrl });
      await until('the proxy answers', () =>
        browser.get('/readyz', headers).then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
      expect((await browser.signIn()).status).toBe(303);
      expect((await browser.get('/dashboard')).status).toBe(200);
      expect((await browser.signOut()).status).toBe(303);
      const metrics = await browser.get('/metrics', {
        authorization: `Bearer ${env.METRICS_TOKEN}`,
      });
      expect(metrics.status).toBe(404);
    } finally {
      proxy.kill();
      if (proxy.exitCode === null) await once(proxy, 'exit');
      await app.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
