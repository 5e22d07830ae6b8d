import type { Express } from 'express';
import type { Config } from '../config/config.js';
import type { KeyValue } from '../core/storage/key-value.js';
import type { Emit } from '../events.js';
import { createBrowserMark } from '../web/session/browser-mark.js';
import { createMask } from './masking.js';
import { createRecorder } from './recorder/recorder.js';
import { addFlowPages } from './routes.js';
import { createStepStore } from './step-store.js';

/** The services that this room uses. */
export interface FlowInspectorServices {
  readonly config: Pick<Config, 'flowInspector' | 'publicUrl' | 'session' | 'getbill'>;
  readonly keyValue: KeyValue;
  readonly fingerprint: (id: string) => string;
  readonly subscribe: (reader: Emit) => void;
  readonly now: () => number;
  readonly onStop: (stop: () => Promise<void>) => void;
}

/**
 * An optional room: records what each browser causes, from here on in the order of middleware, and
 * shows it under `/flow`, where `addPages` is called. While FLOW_INSPECTOR is off there is neither.
 */
export function mountFlowInspector(
  app: Express,
  { config, keyValue, fingerprint, subscribe, now, onStop }: FlowInspectorServices,
): { addPages(): void } {
  if (!config.flowInspector) return { addPages: () => undefined };
  const { publicUrl, getbill } = config;
  const [secret = ''] = config.session.secrets.reveal();
  const mark = createBrowserMark({ publicUrl, secret });
  const store = createStepStore({ keyValue, now });
  const mask = createMask(fingerprint);
  const { apiUrl } = getbill;
  const recorder = createRecorder({ store, mark, mask, publicUrl, apiUrl, fingerprint });
  subscribe(recorder.onEvent);
  onStop(async () => {
    recorder.stop();
    await store.settled();
  });
  app.use(recorder.middleware);
  return { addPages: () => addFlowPages(app, { store, mark }) };
}
