import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../errors.js';
import type { Emit } from '../events.js';
import type { WebhookEvent } from './envelope.js';
import type { Claim, Inbox } from './inbox.js';

const MAX_TRIES = 8;
/** Entries that one process handles at a time. */
const CONCURRENCY = 10;
const HANDLER_TIMEOUT_MS = 120_000;
/** Below the shortest pause, after which another process takes an entry over. */
const KEEP_EVERY_MS = 10_000;
const TRIM_EVERY_MS = 10_000;
const MARK_AGAIN_AFTER_MS = 500;
/** What comes in within this time is claimed together. */
const COLLECT_MS = 20;

/** One try to handle an entry. */
export interface Attempt {
  /** The id of the entry, as `npm run getbill -- webhooks replay` takes it. */
  readonly entry: string;
  /** Counts from 1. */
  readonly tries: number;
  /** Aborts when the handler has taken too long: it will be called again. */
  readonly signal: AbortSignal;
}

export interface Worker {
  /** Something has come in: look now instead of at the next poll. */
  wake(): void;
  /** Takes nothing new; resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/**
 * Handles the entries of one inbox in the background. A failure is tried again after growing pauses, `MAX_TRIES` times
 * in all; an entry that a dead process has left is taken over.
 */
export function startWorker({
  endpoint,
  inbox,
  handle,
  emit,
  pollMs,
  monotonicMs,
  keepEveryMs = KEEP_EVERY_MS,
}: {
  /** Its name. */
  endpoint: string;
  inbox: Inbox;
  handle: (event: WebhookEvent, attempt: Attempt) => Promise<void>;
  emit: Emit;
  pollMs: number;
  monotonicMs: () => number;
  keepEveryMs?: number;
}): Worker {
  const stop = new AbortController();
  const underWay = new Set<Promise<void>>();
  let trimmedAtMs = -Infinity;
  let lookedBackAtMs = -Infinity;
  let woken = false;
  let wake: () => void = () => undefined;

  async function handleOne({ id, type, body, tries }: Claim): Promise<void> {
    const startedMs = monotonicMs();
    const fields = { endpoint, entry: id, eventType: type, tries };
    const keeping = setInterval(() => void inbox.keep(id).catch(() => undefined), keepEveryMs);
    try {
      if (body === undefined)
        throw new Error('it was sealed with a key that this process does not have, or is spoilt');
      const { data } = JSON.parse(body) as WebhookEvent; // checked before it was stored
      await withDeadline((signal) => handle({ type, data }, { entry: id, tries, signal }));
    } catch (error) {
      const final = tries >= MAX_TRIES;
      if (final) await mark(() => inbox.giveUp(id));
      emit({ type: 'webhook_failed', ...fields, final, reason: reasonOf(error) });
      return;
    } finally {
      clearInterval(keeping);
    }
    await mark(() => inbox.done(id));
    emit({ type: 'webhook_handled', ...fields, durationMs: monotonicMs() - startedMs });
  }

  /** The effect has happened, so the mark is tried until the storage takes it: else the entry is handled again. */
  async function mark(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch {
        if (stop.signal.aborted) return;
        await delay(MARK_AGAIN_AFTER_MS, undefined, { ref: false });
      }
    }
  }

  /** Claims no more than it can begin at once, since the pause of an entry runs from its claim. Returns whether there may be more. */
  async function startMore(): Promise<boolean> {
    const free = CONCURRENCY - underWay.size;
    const newOnly = monotonicMs() - lookedBackAtMs < pollMs;
    if (!newOnly) lookedBackAtMs = monotonicMs();
    const claims = free === 0 ? [] : await inbox.claim({ count: free, newOnly }); // 0 would be no bound to Redis
    for (const claim of claims) {
      const handling = handleOne(claim).finally(() => underWay.delete(handling));
      underWay.add(handling);
    }
    return claims.length > 0 && claims.length === free;
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      let isMore = false;
      woken = false;
      try {
        isMore = await startMore();
        if (monotonicMs() - trimmedAtMs >= TRIM_EVERY_MS) {
          trimmedAtMs = monotonicMs();
          await inbox.trim();
        }
      } catch {
        // the storage is away, which it has reported: look again at the next poll
      }
      if (!isMore) await pause();
      else if (underWay.size > 0) await Promise.race(underWay); // until there is room; a race of nothing never ends
    }
    await Promise.all(underWay);
  }

  /** Until the next poll, or until something has come in, with a moment for more of it. */
  async function pause(): Promise<void> {
    if (!woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMs).unref();
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    if (woken && !stop.signal.aborted) await delay(COLLECT_MS);
  }

  function wakeUp(): void {
    woken = true;
    wake();
  }

  const running = run();
  return {
    wake: wakeUp,
    async stop() {
      stop.abort();
      wakeUp();
      await running;
    },
  };
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
