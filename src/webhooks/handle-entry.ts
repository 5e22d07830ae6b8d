import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../errors.js';
import type { Emit } from '../events.js';
import type { WebhookEvent } from './envelope.js';
import type { Claim, Inbox } from './inbox.js';

const MAX_TRIES = 8;
const HANDLER_TIMEOUT_MS = 120_000;
/** Below the shortest pause, after which another process takes an entry over. */
const KEEP_EVERY_MS = 10_000;
const MARK_AGAIN_AFTER_MS = 500;

/** One try to handle an entry. */
export interface Attempt {
  /** The id of the entry, as `npm run getbill -- webhooks replay` takes it. */
  readonly entry: string;
  /** Counts from 1. */
  readonly tries: number;
  /** Aborts when the handler has taken too long: it will be called again. */
  readonly signal: AbortSignal;
}

/** The handler is not called; an event shows `name`. */
class NotHandledError extends Error {
  constructor(name: 'TooManyTriesError' | 'body_unreadable') {
    super();
    this.name = name;
  }
}

type Handle = (event: WebhookEvent, attempt: Attempt) => Promise<void>;

export interface HandlingOptions {
  readonly endpoint: string;
  readonly inbox: Inbox;
  readonly handle: Handle;
  readonly emit: Emit;
  readonly monotonicMs: () => number;
  readonly keepEveryMs?: number;
}

/**
 * Calls the handler with a claimed entry and marks the entry: done, or given up after `MAX_TRIES`
 * failures. An entry that fails before that is claimed again after a pause. Never throws.
 */
export function createHandleEntry({
  endpoint,
  inbox,
  handle,
  emit,
  monotonicMs,
  keepEveryMs = KEEP_EVERY_MS,
  stopping,
}: HandlingOptions & { readonly stopping: AbortSignal }) {
  async function handleEntry({ id, type, body, tries }: Claim): Promise<void> {
    const startedMs = monotonicMs();
    const fields = { endpoint, entry: id, eventType: type, tries };
    const keeping = setInterval(() => void inbox.keep(id).catch(() => undefined), keepEveryMs);
    try {
      // the process of the last try died before its end, or could not mark it
      if (tries > MAX_TRIES) throw new NotHandledError('TooManyTriesError');
      if (body === undefined) throw new NotHandledError('body_unreadable');
      const { data } = JSON.parse(body) as WebhookEvent; // checked before it was stored
      await withDeadline((signal) => handle({ type, data }, { entry: id, tries, signal }));
    } catch (error) {
      const final = tries >= MAX_TRIES;
      const giveUp = (): Promise<void> => inbox.giveUp(id);
      // a full Redis may refuse it for hours
      if (final) await giveUp().catch(() => void mark(giveUp));
      emit({ type: 'webhook_failed', ...fields, final, reason: reasonOf(error) });
      return;
    } finally {
      clearInterval(keeping);
    }
    await mark(() => inbox.done(id));
    emit({ type: 'webhook_handled', ...fields, durationMs: monotonicMs() - startedMs });
  }

  /** Tries until the storage takes the mark: without it an entry would be handled again. */
  async function mark(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch {
        if (stopping.aborted) return;
        await delay(MARK_AGAIN_AFTER_MS, undefined, { ref: false });
      }
    }
  }

  return handleEntry;
}

/** `AbortSignal.timeout` would keep each event in memory until its deadline, long after its end. */
async function withDeadline(handle: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), HANDLER_TIMEOUT_MS).unref();
  const late = once(deadline.signal, 'abort').then(() => {
    throw new Error('the handler did not end in time');
  });
  try {
    await Promise.race([handle(deadline.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A name, never a message: that of a handler may hold what the event was about. */
function reasonOf(error: unknown): string {
  if (error instanceof AppError) return error.code;
  return error instanceof Error ? error.name : 'unknown';
}
