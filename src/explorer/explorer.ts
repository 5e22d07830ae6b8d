import type { Express, Request, RequestHandler, Response } from 'express';
import type { Config } from '../config/config.js';
import type { KeyValue } from '../core/storage/key-value.js';
import { RequestError } from '../errors.js';
import type { Forward } from '../getbill/api-call.js';
import type { Quota } from '../getbill/quota.js';
import type { AccessDeps } from '../web/access.js';
import { formBody } from '../web/middleware/form-body.js';
import { quotaView } from '../web/pages/quota.js';
import { renderPage } from '../web/render-page.js';
import { scopeMissing } from '../web/routes/api.js';
import { createConfirmations, type Write } from './confirmations.js';
import { findOperation, operations, type Operation } from './operations.js';
import { buildRequest, exampleRequest, fieldsOf, type Fields } from './request.js';
import type { ResponseView } from './response.js';
import { samplesOf } from './samples.js';
import { sendRequest } from './send.js';
import { cardOf, fieldViews, indexView } from './view.js';

/** 10 kB of JSON, as its page says, url-encoded: a quote becomes three characters. */
const FORM_LIMIT = '40kb';

/** The services that this room uses. */
export interface ExplorerServices {
  readonly config: { readonly getbill: Pick<Config['getbill'], 'apiUrl'> };
  readonly keyValue: Pick<KeyValue, 'set' | 'take'>;
  readonly forward: Forward;
  readonly quota: Pick<Quota, 'lastKnown'>;
}

export interface ExplorerGuards {
  readonly access: AccessDeps;
  /** Signed in, with a fresh access token, as for every page. */
  readonly mayOpen: readonly RequestHandler[];
  /** The same within the limit of `/api`. */
  readonly mayCall: readonly RequestHandler[];
}

/** The parts of a page beside the form. */
interface Shown {
  readonly faults?: Readonly<Record<string, string>>;
  readonly confirmation?: { readonly id: string; readonly wasUsed: boolean };
  readonly response?: ResponseView;
}

/**
 * An optional room: the endpoints of the allow-list, each with a form that sends it the way `/api`
 * does. Parses the forms of its pages, so it must be mounted before the CSRF check; `addPages` adds
 * the pages.
 */
export function mountExplorer(
  app: Express,
  { config, keyValue, forward, quota }: ExplorerServices,
): { addPages(guards: ExplorerGuards): void } {
  const confirmations = createConfirmations({ keyValue });
  const { apiUrl } = config.getbill;
  app.use('/explorer', formBody({ limit: FORM_LIMIT }));

  async function show(res: Response, operation: Operation, fields: Fields, shown: Shown = {}) {
    const { faults = {}, confirmation, response } = shown;
    const { limitClass, title, group, note, body } = operation;
    const built = buildRequest(operation, fields);
    const request = 'request' in built ? built.request : exampleRequest(operation);
    const label = limitClass === 'read' ? 'Reads' : 'Writes';
    renderPage(res, 'explorer-operation', {
      title,
      group,
      note,
      isWrite: limitClass === 'write',
      card: cardOf(operation, res.locals.tokenSet.scopes),
      fields: fieldViews(operation, fields, faults),
      body: body === undefined ? undefined : { value: fields['body'], fault: faults['body'] },
      sentBody: request.body,
      target: request.path + request.query,
      confirmation,
      response,
      samples: samplesOf(operation, request, { apiUrl }),
      quota: quotaView(label, await quota.lastKnown(limitClass), res.locals.formats),
    });
  }

  return {
    addPages({ access, mayOpen, mayCall }) {
      app.get('/explorer', ...mayOpen, (_req, res) => {
        const groups = indexView(res.locals.tokenSet.scopes);
        renderPage(res, 'explorer', { title: 'API explorer', groups, count: operations.length });
      });

      app.get('/explorer/:operation', ...mayOpen, async (req, res) => {
        const operation = operationOf(req);
        const { id } = req.query;
        const fields = fieldsOf(operation, undefined);
        const isId = 'id' in fields && typeof id === 'string' && /^[\w-]{1,128}$/.test(id);
        await show(res, operation, isId ? { ...fields, id } : fields);
      });

      app.post('/explorer/:operation', ...mayCall, async (req, res) => {
        const operation = operationOf(req);
        const { method, scope } = operation.endpoint;
        if (!res.locals.tokenSet.scopes.includes(scope)) throw scopeMissing(scope);
        const sent: unknown = req.body;
        const fields = fieldsOf(operation, sent ?? {});
        const built = buildRequest(operation, fields);
        if ('faults' in built) {
          res.status(400);
          return await show(res, operation, fields, { faults: built.faults });
        }
        const { request } = built;
        if (operation.limitClass === 'write') {
          const write: Write = { ...request, method, grantId: res.locals.grantId };
          const given = (sent as Record<string, unknown>)['confirmation'];
          if (!(await confirmations.use(given, write))) {
            const confirmation = {
              id: await confirmations.create(write),
              wasUsed: given !== undefined,
            };
            return await show(res, operation, fields, { confirmation });
          }
        }
        const response = await sendRequest(req, res, { operation, request, access, forward });
        await show(res, operation, fields, { response });
      });
    },
  };
}

function operationOf(req: Request): Operation {
  const { operation } = req.params;
  const found = typeof operation === 'string' ? findOperation(operation) : undefined;
  if (found === undefined) {
    throw new RequestError('no such operation', { code: 'not_found', status: 404 });
  }
  return found;
}
