// The sandbox as a process: calls of its control come as messages.
import { CLIENT_SECRET, PUBLIC_URL } from '../../process/support/environment.js';
import { startSandbox } from '../../../sandbox/sandbox.js';
import type { ControlCall } from './sandbox-apart.js';

const sandbox = await startSandbox({
  redirectUris: [`${PUBLIC_URL}/oauth/callback`],
  clientSecrets: [CLIENT_SECRET],
  faults: { limitReads: 1_000_000, limitWrites: 1_000_000 },
});
process.on('message', (call: ControlCall) => {
  if (call === 'reset') sandbox.control.reset();
  else sandbox.control.set(call);
  process.send?.('done');
});
process.send?.(sandbox.origin);
