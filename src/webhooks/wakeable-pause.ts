import { setTimeout as delay } from 'node:timers/promises';

/**
 * The pause between two looks. What comes in within `collectMs` of a wake-up is found by one look.
 */
export function createWakeablePause({ collectMs }: { collectMs: number }) {
  let bell = new AbortController();

  return {
    /** Something has come in. Ends the pause, or the next one where none is under way. */
    wake: (): void => bell.abort(),
    pause: async (ms: number): Promise<void> => {
      await delay(ms, undefined, { signal: bell.signal, ref: false }).catch(() => undefined);
      if (bell.signal.aborted) await delay(collectMs);
      bell = new AbortController();
    },
  };
}
