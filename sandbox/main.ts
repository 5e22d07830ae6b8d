import { optionsFrom } from './options.js';
import { defaultClientSecret, startSandbox } from './sandbox.js';

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return `port ${(error as { port?: number }).port} is taken by another program; choose one with SANDBOX_PORT=4001`;
  if (code === 'EACCES') return 'the port may not be used; choose one above 1023 with SANDBOX_PORT';
  return error.message;
}

try {
  const sandbox = await startSandbox(optionsFrom(process.env));
  const { clientId, redirectUris } = sandbox.control.state().client;
  console.log(`sandbox GetBill on ${sandbox.origin}

Its client, for an .env file:

GETBILL_BASE_URL=${sandbox.origin}
GETBILL_CLIENT_ID=${clientId}
GETBILL_CLIENT_SECRET=${process.env['SANDBOX_CLIENT_SECRET'] === undefined ? defaultClientSecret : '(the one of SANDBOX_CLIENT_SECRET)'}

Registered for sign-in: ${redirectUris.join(', ')}
Anything else can be set on its page.`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void sandbox.close().then(() => process.exit(0)));
  }
} catch (error) {
  console.error(`sandbox: ${explain(error)}`);
  process.exitCode = 1;
}
