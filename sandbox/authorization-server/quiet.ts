const silenced = new WeakSet<Console>();

/**
 * oidc-provider advises on production use through the console when it is loaded, built and first
 * used. Those lines are dropped from now on; everything else passes.
 */
export function silenceProviderAdvice(target: Console = globalThis.console): void {
  if (silenced.has(target)) return;
  silenced.add(target);
  for (const method of ['info', 'warn'] as const) {
    const original = target[method].bind(target);
    target[method] = (...args: unknown[]) => {
      if (typeof args[0] === 'string' && /oidc-provider (NOTICE|WARNING): /.test(args[0])) return;
      original(...args);
    };
  }
}
