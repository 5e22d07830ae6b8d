import type { Express, RequestHandler } from 'express';
import type { Config } from '../config/config.js';
import type { KeyValue } from '../core/storage/key-value.js';
import type { Forward } from '../getbill/api-call.js';
import type { AccessDeps } from '../web/access.js';
import { formBody } from '../web/middleware/form-body.js';
import { hasPage } from '../web/pages/pages.js';
import { createBrowserMark } from '../web/session/browser-mark.js';
import { createSceneRunner } from './scene-runner.js';
import { createResultStore } from './results.js';
import { addTourPages } from './routes.js';
import { createSandbox } from './sandbox.js';

/** The services that this room uses. */
export interface TourServices {
  readonly config: Pick<Config, 'tour' | 'flowInspector' | 'publicUrl' | 'session' | 'getbill'>;
  readonly keyValue: KeyValue;
  readonly forward: Forward;
  readonly now: () => number;
}

export interface TourPagesDeps {
  /** Guards of a page that needs a session. */
  readonly signedIn: readonly RequestHandler[];
  readonly access: AccessDeps;
}

/**
 * An optional room: `/tour`, where `addPages` is called. It must be mounted before the CSRF check,
 * which reads the forms that are parsed here. While TOUR is off there is neither.
 */
export function mountTour(
  app: Express,
  { config, keyValue, forward, now }: TourServices,
): { addPages(deps: TourPagesDeps): void } {
  if (!config.tour) return { addPages: () => undefined };
  const { publicUrl, getbill } = config;
  const flowInspector = config.flowInspector && hasPage('/flow');
  const [secret = ''] = config.session.secrets.reveal();
  const mark = createBrowserMark({ publicUrl, secret });
  const results = createResultStore(keyValue);
  const sandbox = createSandbox(getbill);
  const runner = createSceneRunner({ sandbox, results, publicUrl, flowCookie: mark.cookie, now });
  app.use('/tour', formBody());
  return {
    addPages: ({ signedIn, access }) =>
      addTourPages(app, { mark, results, runner, signedIn, access, forward, flowInspector }),
  };
}
