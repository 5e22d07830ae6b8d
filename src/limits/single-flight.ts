/** Runs work once at a time for each key: all who ask meanwhile share its promise. */
export function singleFlight<Result>() {
  const running = new Map<string, Promise<Result>>();
  return function run(key: string, work: () => Promise<Result>): Promise<Result> {
    const started = running.get(key);
    if (started !== undefined) return started;
    const result = work().finally(() => running.delete(key));
    running.set(key, result);
    return result;
  };
}
