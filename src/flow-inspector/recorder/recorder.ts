import type { RequestHandler } from 'express';
import type { AppEvent } from '../../events.js';
import { channels } from '../../tracing.js';
import type { BrowserMark } from '../../web/session/browser-mark.js';
import type { Mask } from '../masking.js';
import { noteOf } from '../notes.js';
import type { StepStore } from '../step-store.js';
import { recordBrowser } from './browser.js';
import { recordGetbill } from './getbill.js';
import { recordRenewals } from './renewals.js';
import { createStepWriter } from './step-writer.js';
import { recordStorage } from './storage.js';

export interface Recorder {
  /** Before everything else that can respond. */
  readonly middleware: RequestHandler;
  readonly onEvent: (event: AppEvent) => void;
  readonly stop: () => void;
}

/**
 * Records what one browser causes: its requests, the calls to GetBill and the storage, and the
 * decisions. It learns of them from the channels of `src/tracing.ts` and from the events.
 */
export function createRecorder(deps: {
  store: StepStore;
  mark: BrowserMark;
  mask: Mask;
  publicUrl: URL;
  apiUrl: URL;
  fingerprint: (id: string) => string;
}): Recorder {
  const writer = createStepWriter(deps);
  const browser = recordBrowser(writer, deps);
  const getbill = recordGetbill(writer, deps);
  const storage = recordStorage(writer, deps);
  const renewals = recordRenewals(writer, deps);
  channels.http.subscribe(getbill);
  channels.storage.subscribe(storage);
  channels.renewal.start.bindStore(writer.contexts, renewals.contextOfRenewal);
  channels.renewal.subscribe(renewals.reader);

  return {
    middleware: (req, res, next) => void browser(req, res, next).catch(next),
    onEvent(event) {
      const context = writer.contexts.getStore();
      const found = context && noteOf(event);
      if (context === undefined || found === undefined) return;
      if (context.renewal && /^refresh_(failed|waited)$/.test(event.type))
        context.renewal.hasExplained = true;
      writer.note(context, found);
    },
    stop() {
      channels.http.unsubscribe(getbill);
      channels.storage.unsubscribe(storage);
      channels.renewal.start.unbindStore(writer.contexts);
      channels.renewal.unsubscribe(renewals.reader);
    },
  };
}
