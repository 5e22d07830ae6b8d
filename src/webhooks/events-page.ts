import { setTimeout as delay } from 'node:timers/promises';
import type { Express, RequestHandler, Response } from 'express';
import { inTime } from '../core/storage/redis.js';
import { RequestError, StorageError } from '../errors.js';
import { companyHash, type GrantFacts } from '../getbill/grant-facts.js';
import type { Formats } from '../web/pages/formats.js';
import { capitalised } from '../web/pages/words.js';
import { renderPage } from '../web/render-page.js';
import { atMsOf } from './entry-id.js';
import { subjectOf, type WebhookEvent } from './envelope.js';
import type { EntryState, Inbox, Listed } from './inbox.js';
import type { OpenEndpoint } from './webhooks.js';

const SHOWN = 100;
const RETRY_AFTER_S = 30;
const LOOK_EVERY_MS = 50;
const MAX_LOOKS = 20;
const ENTRY = /^([a-z0-9-]*)\/(\d{1,16}-\d{1,16})$/;

const STATES: Readonly<Record<EntryState, { label: string; colour: string }>> = {
  waiting: { label: 'Waiting', colour: 'orange' },
  handled: { label: 'Handled', colour: 'green' },
  given_up: { label: 'Given up', colour: 'red' },
};

interface EventRow {
  /** `<endpoint>/<id>`, as "handle again" sends it. */
  readonly entry: string;
  readonly when: { text: string; iso: string };
  readonly what: string;
  readonly href: string | undefined;
  readonly status: { label: string; colour: string };
}

export interface EventsPageDeps {
  readonly endpoints: readonly OpenEndpoint[];
  readonly facts: Pick<GrantFacts, 'read'>;
}

/** `/events`: the last webhooks of the company of this session, and "handle again". */
export function addEventsPage(
  app: Express,
  { endpoints, facts, guards }: EventsPageDeps & { guards: readonly RequestHandler[] },
): void {
  /** `undefined` while no response of GetBill has said whose session this is. */
  async function mine(res: Response): Promise<readonly OpenEndpoint[] | undefined> {
    const { company } = await facts.read(res.locals.grantId);
    if (company === undefined) return undefined;
    return endpoints.filter(({ companyId }) => companyHash(companyId) === company);
  }

  app.get('/events', ...guards, async (_req, res) => {
    const mineOrUnknown = await mine(res);
    const lists = await Promise.all(
      (mineOrUnknown ?? []).map(async ({ name, inbox }) =>
        (await recentOf(inbox)).map((each) => rowOf(name, each, res.locals.formats)),
      ),
    );
    const rows = lists
      .flat()
      .sort((one, other) => other.when.iso.localeCompare(one.when.iso))
      .slice(0, SHOWN);
    const isKnown = mineOrUnknown !== undefined;
    const isOn = mineOrUnknown?.length !== 0;
    renderPage(res, 'events', { title: 'Events', rows, isKnown, isOn });
  });

  app.post('/events/again', ...guards, async (req, res) => {
    const { entry } = (req.body ?? {}) as Record<string, unknown>;
    const [, name, id = ''] = ENTRY.exec(typeof entry === 'string' ? entry : '') ?? [];
    const endpoint = (await mine(res))?.find((each) => each.name === name);
    const outcome = await endpoint?.inbox.again(id);
    if (endpoint === undefined || outcome === 'gone')
      throw new RequestError('no such event', { code: 'not_found', status: 404 });
    if (outcome === 'full') {
      const refusal = { code: 'rate_limited', status: 503, retryAfterS: RETRY_AFTER_S } as const;
      throw new RequestError('too many events wait to be handled', refusal);
    }
    endpoint.wake();
    await newestHandled(endpoint.inbox);
    res.redirect(303, '/events');
  });
}

/** A reader waits no longer for this storage than for any other. @throws {StorageError} */
async function recentOf(inbox: Inbox): Promise<Listed[]> {
  try {
    return await inTime(inbox.recent(SHOWN));
  } catch (error) {
    throw error instanceof StorageError ? error : new StorageError(error);
  }
}

/** Waits up to a second for the newest event: the page would otherwise show it as waiting. */
async function newestHandled(inbox: Inbox): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    await delay(LOOK_EVERY_MS);
    const [newest] = await inbox.recent(1).catch(() => []);
    if (newest?.state !== 'waiting') return;
  }
}

function rowOf(
  endpoint: string,
  { id, type, body, state }: Listed,
  formats: Pick<Formats, 'instant'>,
): EventRow {
  const subject = subjectOf(JSON.parse(body) as WebhookEvent);
  const isDebt = type.startsWith('debt.') && subject !== undefined;
  return {
    entry: `${endpoint}/${id}`,
    when: formats.instant(new Date(atMsOf(id))),
    what: wordsOf(type),
    href: isDebt ? `/debts/${encodeURIComponent(subject)}` : undefined,
    status: STATES[state],
  };
}

/** "debt.status_changed" as "Debt status changed". */
function wordsOf(type: string): string {
  const words = type.replaceAll(/[._:-]+/g, ' ').trim();
  return capitalised(words.replace('followup', 'follow-up') || type);
}
