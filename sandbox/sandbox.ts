import { tellAppToForgetLimits } from './tell-app.js';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from './app.js';
import { allScopes } from './authorization-server/scopes.js';
import { assertRedirectUri, assertSecrets, type RegisteredClient } from './client.js';
import type { SandboxContext } from './context.js';
import type { Control } from './control/control.js';
import { zeroCounters } from './counters.js';
import { createFaultState } from './fault-state.js';
import { defaultFaults, type Faults } from './faults.js';
import { createGate } from './gate.js';
import { createRecorder } from './recorder.js';
import { createWebhookSender, type WebhookSender, type WebhookTarget } from './webhooks/sender.js';

export interface SandboxOptions {
  /** Default 0: any free port. */
  port?: number;
  /** Where to listen, default 127.0.0.1. */
  host?: string;
  /** Host name in the origin, default localhost. */
  issuerHost?: string;
  /** The origin that browsers see, where it is not http://<issuerHost>:<port>. */
  publicOrigin?: string;
  /** Default sandbox-client. */
  clientId?: string;
  /** Any of them is accepted. */
  clientSecrets?: string[];
  /** Default http://localhost:3000/oauth/callback. */
  redirectUris?: string[];
  /** Link "back to the app", default http://localhost:3000. */
  appUrl?: string;
  /** Where webhooks are sent; nowhere by default. */
  webhook?: WebhookTarget;
  /** What the faults are at the start and after a reset. */
  faults?: Partial<Faults>;
  now?: () => number;
}

export interface Sandbox {
  origin: string;
  control: Control;
  webhooks: WebhookSender;
  close: () => Promise<void>;
}

export const defaultClientId = 'sandbox-client';
export const defaultClientSecret = 'sandbox-secret-7c1f0e5ad2b94c36';

/** A GetBill look-alike: authorization server, API and faults on demand. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const {
    host = '127.0.0.1',
    issuerHost = 'localhost',
    appUrl = 'http://localhost:3000',
    now = Date.now,
  } = options;
  const client: RegisteredClient = {
    clientId: options.clientId ?? defaultClientId,
    secrets: [...(options.clientSecrets ?? [defaultClientSecret])],
    redirectUris: [...(options.redirectUris ?? ['http://localhost:3000/oauth/callback'])],
    scopes: [...allScopes],
    active: true,
  };
  assertSecrets(client.secrets);
  client.redirectUris.forEach(assertRedirectUri);
  const faults = createFaultState({ start: { ...defaultFaults, ...options.faults } });

  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  let counters = zeroCounters();
  const context: SandboxContext = {
    origin: new URL(options.publicOrigin ?? `http://${issuerHost}:${port}`).origin,
    appUrl,
    clock: () => now() + faults.current().clockOffsetMs,
    faults,
    counters: () => counters,
    client,
    gate: createGate(),
    recorder: createRecorder({ now }),
    webhooks: createWebhookSender({ now }),
  };
  context.webhooks.setTarget(options.webhook);
  const { app, control } = await createApp({
    ...context,
    port,
    resetCounters: () => (counters = zeroCounters()),
    resetWebhooks: () => context.webhooks.setTarget(options.webhook),
    onLimitsChanged: () => tellAppToForgetLimits(options.appUrl),
  });
  server.on('request', (req, res) => void app(req, res));

  let closing: Promise<void> | undefined;
  return {
    origin: context.origin,
    control,
    webhooks: context.webhooks,
    close() {
      closing ??= new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
        context.gate.release();
      });
      return closing;
    },
  };
}
