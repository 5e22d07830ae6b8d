import type { Config } from '../../config/config.js';
import { jsonObject } from '../../core/json.js';
import { fail, pass, warn, type Check, type Deployment, type Result } from './check.js';
import { errorOf, examineSignIn } from './cookie-round-trip.js';
import { explainConnection } from './explain-connection.js';

/**
 * Through the real proxy, as a browser would come. They start one sign-in and end it themselves.
 */
export const deploymentChecks: readonly Check[] = [
  { name: 'deployment', examine: ofDeployment(examineReach) },
  { name: 'TRUST_PROXY', needs: 'deployment', examine: ofDeployment(examineTrust) },
  { name: 'cookie round trip', needs: 'TRUST_PROXY', examine: ofDeployment(examineSignIn) },
];

function ofDeployment(
  examine: (deployment: Deployment, config: Config) => Promise<Result>,
): Check['examine'] {
  return async ({ deployment, config }) => deployment && (await examine(deployment, config));
}

async function examineReach({ url, visit }: Deployment, config: Config): Promise<Result> {
  const { timeoutMs } = config.getbill;
  try {
    const { status, headers, text } = await visit('/healthz');
    if (status === 200 && jsonObject(text)?.['status'] === 'ok')
      return judgeOrigin(url, headers['strict-transport-security'], config);
    return fail(
      `${url.origin}/healthz answered ${status}, and not as the app does: the proxy does not reach the app`,
      'let the proxy pass everything to the app at HOST and PORT; is the app running?',
    );
  } catch (error) {
    return explainConnection(error, { url, variable: '--url', timeoutMs });
  }
}

function judgeOrigin(url: URL, hsts: string | undefined, config: Config): Result {
  const mayCoverSubdomains = config.hsts === 'subdomains' || config.hsts === 'preload';
  if (/includeSubDomains/i.test(hsts ?? '') && !mayCoverSubdomains) {
    return warn(
      `Strict-Transport-Security covers every host below ${url.hostname}, though HSTS=${config.hsts} here`,
      'set HSTS=subdomains if all of them are https; otherwise correct HSTS where the app runs, or the proxy that adds the header',
    );
  }
  if (url.origin === config.publicUrl.origin) {
    return pass(`${url.origin}, ${hsts === undefined ? 'without HSTS' : `HSTS: ${hsts}`}`);
  }
  return warn(
    `--url is not the origin of PUBLIC_URL (${config.publicUrl.origin}): cookies and links belong to that one`,
    `set PUBLIC_URL=${url.origin} where the app runs, and run this with the same environment`,
  );
}

const SEND_PROTO =
  'let the proxy send X-Forwarded-Proto: https (nginx: proxy_set_header X-Forwarded-Proto $scheme)';
const PASS_ON_PROTO =
  'where another one in front of it ends TLS, let it pass on the word of that one ($http_x_forwarded_proto)';

async function examineTrust({ visit }: Deployment, config: Config): Promise<Result> {
  if (config.publicUrl.protocol === 'http:') return pass('not needed: PUBLIC_URL is http');
  const isHttps = async (headers: Record<string, string>): Promise<boolean> =>
    errorOf(await visit('/', { headers })) !== 'insecure_request';

  if (await isHttps({})) {
    if (await isHttps({ 'x-forwarded-proto': 'http' })) return pass('requests arrive as https');
    return warn(
      'the proxy passes on the X-Forwarded-Proto that a visitor sends',
      `${SEND_PROTO}, which replaces the visitor's`,
    );
  }
  if (await isHttps({ 'x-forwarded-proto': 'https' })) {
    return fail(
      'X-Forwarded-Proto is missing: the proxy does not send it',
      `${SEND_PROTO}; ${PASS_ON_PROTO}`,
    );
  }
  return fail(
    'requests do not arrive as https: the proxy sends no "X-Forwarded-Proto: https", or the app does not trust this proxy',
    `${SEND_PROTO}; ${PASS_ON_PROTO}; and set TRUST_PROXY to the number of proxies in front of the app (now ${String(config.trustProxy)})`,
  );
}
