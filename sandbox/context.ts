import type { RegisteredClient } from './client.js';
import type { Counters } from './counters.js';
import type { FaultState } from './fault-state.js';
import type { Gate } from './gate.js';
import type { Recorder } from './recorder.js';
import type { WebhookSender } from './webhooks/sender.js';

/** What every part of one running sandbox shares. */
export interface SandboxContext {
  /** Scheme, host and port as browsers see them; also the issuer. */
  origin: string;
  appUrl: string;
  /** The sandbox's clock, `clockOffsetMs` included. */
  clock: () => number;
  faults: FaultState;
  counters: () => Counters;
  client: RegisteredClient;
  gate: Gate;
  recorder: Recorder;
  webhooks: WebhookSender;
}
