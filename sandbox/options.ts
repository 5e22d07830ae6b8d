import type { SandboxOptions } from './sandbox.js';

const loopback = ['127.0.0.1', '::1', 'localhost'];
const list = (text: string | undefined): string[] | undefined =>
  text?.split(',').map((item) => item.trim());

/** @throws {Error} naming the variable that is wrong. */
export function optionsFrom(env: NodeJS.ProcessEnv): SandboxOptions {
  const host = env['SANDBOX_HOST'] ?? '127.0.0.1';
  if (
    !loopback.includes(host) &&
    !['true', '1'].includes(env['SANDBOX_ALLOW_NON_LOOPBACK'] ?? '')
  ) {
    throw new Error(
      `SANDBOX_HOST is ${host}: anyone who reaches it controls the sandbox; SANDBOX_ALLOW_NON_LOOPBACK=true permits that`,
    );
  }
  const port = Number(env['SANDBOX_PORT'] ?? '4000');
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new Error('SANDBOX_PORT is not a port number');
  const clientSecrets = list(env['SANDBOX_CLIENT_SECRET']);
  const redirectUris = list(env['SANDBOX_REDIRECT_URIS']);
  const {
    SANDBOX_WEBHOOK_URL: url,
    SANDBOX_WEBHOOK_SECRET: secret,
    SANDBOX_WEBHOOK_COMPANY: companyId,
  } = env;
  const webhook = url && secret && companyId ? { url, secret, companyId } : undefined;
  return {
    host,
    port,
    ...(env['SANDBOX_PUBLIC_ORIGIN'] && { publicOrigin: env['SANDBOX_PUBLIC_ORIGIN'] }),
    ...(env['SANDBOX_CLIENT_ID'] && { clientId: env['SANDBOX_CLIENT_ID'] }),
    ...(env['SANDBOX_APP_URL'] && { appUrl: env['SANDBOX_APP_URL'] }),
    ...(clientSecrets && { clientSecrets }),
    ...(redirectUris && { redirectUris }),
    ...(webhook && { webhook }),
  };
}
