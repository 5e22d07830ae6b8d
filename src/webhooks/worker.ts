import type { WebhookEvent } from './envelope.js';
import type { Claim, Inbox } from './inbox.js';

const MAX_TRIES = 8;
const BATCH = 10;
/** Below the shortest pause, after which another process takes an entry over. */
const HANDLER_TIMEOUT_MS = 20_000;

export interface WorkerReport {
  handled(fields: { type: string; tries: number; durationMs: number }): void;
  failed(fields: { type: string; tries: number; final: boolean; error: unknown }): void;
}

export interface Worker {
  /** Something has come in: look now instead of at the next poll. */
  wake(): void;
  /** Takes nothing new; resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/**
 * Handles the entries of one inbox, one after the other, in the background. A failure is tried again after growing
 * pauses, `MAX_TRIES` times in all; an entry that a dead process has left is taken over.
 */
export function startWorker({
  inbox,
  handle,
  report,
  pollMs,
  monotonicMs,
}: {
  inbox: Inbox;
  handle: (event: WebhookEvent, signal: AbortSignal) => Promise<void>;
  report: WorkerReport;
  pollMs: number;
  monotonicMs: () => number;
}): Worker {
  const stop = new AbortController();
  let wake: () => void = () => undefined;

  async function handleOne({ id, type, body, tries }: Claim): Promise<void> {
    const startedMs = monotonicMs();
    try {
      const { data } = JSON.parse(body) as WebhookEvent; // checked before it was stored
      const signal = AbortSignal.timeout(HANDLER_TIMEOUT_MS);
      await within(signal, handle({ type, data }, signal));
    } catch (error) {
      const final = tries >= MAX_TRIES;
      if (final) await inbox.giveUp(id);
      report.failed({ type, tries, final, error });
      return;
    }
    await inbox.done(id);
    report.handled({ type, tries, durationMs: monotonicMs() - startedMs });
  }

  /** One at a time, so that what is claimed is under way: its pause runs from the claim. */
  async function handleAll(): Promise<void> {
    while (!stop.signal.aborted) {
      const claims = await inbox.claim({ count: 1 });
      if (claims.length === 0) return;
      for (const claim of claims) await handleOne(claim);
    }
  }

  async function run(): Promise<void> {
    for (let round = 0; !stop.signal.aborted; round++) {
      try {
        await Promise.all(Array.from({ length: BATCH }, () => handleAll()));
        if (round % 100 === 0) await inbox.trim();
      } catch {
        // the storage is away, which it has reported: look again at the next poll
      }
      await pauseUntilWoken();
    }
  }

  async function pauseUntilWoken(): Promise<void> {
    if (stop.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pollMs);
      timer.unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  const running = run();
  return {
    wake: () => wake(),
    async stop() {
      stop.abort();
      wake();
      await running;
    },
  };
}

async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the handler did not end in time')), { once: true });
  });
  return await Promise.race([work, late]);
}
