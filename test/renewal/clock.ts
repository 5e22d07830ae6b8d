/** Everything that is not waiting for the clock, or for a gate of the test, has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Time that moves only when a test moves it. */
export function createClock() {
  let nowMs = Date.UTC(2026, 0, 1);
  let sleepers: { readonly dueAtMs: number; readonly wake: () => void }[] = [];

  async function advance(ms: number): Promise<void> {
    await settled();
    const untilMs = nowMs + ms;
    for (;;) {
      const [next] = sleepers
        .filter(({ dueAtMs }) => dueAtMs <= untilMs)
        .sort((a, b) => a.dueAtMs - b.dueAtMs);
      nowMs = next?.dueAtMs ?? untilMs;
      sleepers = sleepers.filter((sleeper) => sleeper !== next);
      next?.wake();
      await settled();
      if (next === undefined) return;
    }
  }

  return {
    now: (): number => nowMs,
    advance,
    sleep: (ms: number): Promise<void> =>
      new Promise((resolve) => void sleepers.push({ dueAtMs: nowMs + ms, wake: resolve })),
    /** What `promise` came to, and how long that took. */
    async passesUntil<T>(
      promise: Promise<T>,
    ): Promise<{ value?: T; error?: unknown; tookMs: number }> {
      const startedMs = nowMs;
      let outcome: { value?: T; error?: unknown } | undefined;
      promise.then(
        (value) => (outcome = { value }),
        (error: unknown) => (outcome = { error }),
      );
      for (await settled(); outcome === undefined; await advance(5)) {
        if (nowMs - startedMs > 300_000) throw new Error('no answer within five minutes');
      }
      return { ...(outcome as object), tookMs: nowMs - startedMs };
    },
  };
}

/** Opened by the test; whoever comes before that waits. */
export function createGate() {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open: (): void => open() };
}
