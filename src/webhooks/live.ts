import type { Request, RequestHandler, Response } from 'express';
import { RequestError } from '../errors.js';
import { companyHash, ownerOf, type GrantFacts } from '../getbill/grant-facts.js';
import { addressOf } from '../web/client-address.js';
import { openEventStream } from '../web/event-stream.js';
import type { Change, Changes } from './changes.js';
import type { OpenEndpoint } from './webhooks.js';

const MAX_STREAMS = 1_000;
const MAX_STREAMS_PER_OWNER = 750;
const MAX_STREAMS_PER_SESSION = 6;
const STREAM_MS = 600_000;
const CHECK_EVERY_MS = 3_000;

interface StreamOwner {
  readonly grantId: string;
  readonly address: string;
  /** `undefined` until a response of GetBill has said whose grant it is. */
  company: string | undefined;
}

/** An open stream. */
interface Listener extends StreamOwner {
  tell(changes: readonly Change[]): void;
}

export type Listeners = Set<Listener>;

/** Tells open pages of a company that something of it has changed: a type and an id, never data. */
export function tellListeners(
  listeners: Listeners,
  companyId: string,
  changes: readonly Change[],
): void {
  const company = companyHash(companyId);
  for (const listener of listeners) if (listener.company === company) listener.tell(changes);
}

/** `GET /events/live`. 204 tells the browser not to come back: no endpoint is this company's. */
export function streamChanges({
  listeners,
  endpoints,
  facts,
  isSignedIn,
}: {
  listeners: Listeners;
  endpoints: readonly OpenEndpoint[];
  facts: Pick<GrantFacts, 'read'>;
  /** Whether the session of this request is still signed in. Does not count as its use. */
  isSignedIn: (req: Request) => Promise<boolean>;
}): RequestHandler {
  const companies = new Set(endpoints.map(({ companyId }) => companyHash(companyId)));

  return async function streamChangesHandler(req: Request, res: Response) {
    const { grantId } = res.locals;
    const { company } = await facts.read(grantId);
    if (company !== undefined && !companies.has(company)) return void res.status(204).end();
    const address = addressOf(req.ip);
    refuseTooMany([...listeners], { grantId, address, company });

    const events = openEventStream(res, { maxMs: STREAM_MS });
    if (events.ended.aborted) return;
    const missedIds = sendMissed();
    const listener: Listener = {
      grantId,
      address,
      company,
      /** After what was missed, and without it: this process may learn of that only now. */
      tell(changes) {
        void missedIds.then((missed) => send(changes.filter(({ id }) => !missed.has(id))));
      },
    };
    listeners.add(listener);
    const check = setInterval(() => void endWithSession(), CHECK_EVERY_MS);
    events.ended.addEventListener('abort', () => {
      clearInterval(check);
      listeners.delete(listener);
    });

    async function sendMissed(): Promise<ReadonlySet<string>> {
      const missed = await missedBy(company, req.get('last-event-id') ?? req.query['since']);
      send(missed);
      return new Set(missed.map(({ id }) => id));
    }

    function send(changes: readonly Change[]): void {
      res.cork(); // one write for all
      for (const { id, type, subject } of changes)
        events.send({ name: 'change', id, data: { type, id: subject } });
      res.uncork();
    }

    async function endWithSession(): Promise<void> {
      try {
        if (!(await isSignedIn(req))) return events.end();
        listener.company = (await facts.read(grantId)).company;
      } catch {
        // the storage is away: checked again
      }
    }
  };

  /** After `lastId`: when the page was made, or the browser lost its stream. */
  async function missedBy(company: string | undefined, lastId: unknown): Promise<Change[]> {
    if (company === undefined || typeof lastId !== 'string' || !/^\d{1,16}-\d{1,16}$/.test(lastId))
      return [];
    const mine = endpoints.filter(({ companyId }) => companyHash(companyId) === company);
    const missed = await Promise.all(
      mine.map(
        // the storage is away: a hint is lost
        ({ changes }) => allAfter(changes, lastId).catch((): Change[] => []),
      ),
    );
    return missed.flat();
  }
}

async function allAfter(changes: Changes, lastId: string): Promise<Change[]> {
  const all: Change[] = [];
  for (let last = lastId; ;) {
    const read = await changes.after(last);
    if (read.changes.length === 0) return all;
    all.push(...read.changes);
    last = read.last;
  }
}

const ownerOfStream = ({ address, company }: StreamOwner): string => ownerOf(address, company);

function refuseTooMany(listeners: readonly Listener[], next: StreamOwner): void {
  const mine = listeners.filter(({ grantId }) => grantId === next.grantId).length;
  const owner = ownerOfStream(next);
  const ofOwner = listeners.filter((listener) => ownerOfStream(listener) === owner).length;
  const refusal = { code: 'rate_limited', retryAfterS: 60 } as const;
  if (mine >= MAX_STREAMS_PER_SESSION)
    throw new RequestError('too many streams', { ...refusal, status: 429 });
  if (listeners.length >= MAX_STREAMS || ofOwner >= MAX_STREAMS_PER_OWNER)
    throw new RequestError('too many streams', { ...refusal, status: 503 });
}
