/**
 * A map that cannot grow without end: it drops the entry that was set longest ago when it holds
 * more than `max`, and every entry `maxAgeMs` after it was set (also when the clock `now` is set
 * back).
 */
export function boundedMap<Value>({
  max,
  maxAgeMs = Infinity,
  now = () => 0,
}: {
  max: number;
  maxAgeMs?: number;
  now?: () => number;
}) {
  const entries = new Map<string, { value: Value; setAtMs: number }>(); // the oldest first

  function sweep(): void {
    if (maxAgeMs === Infinity && entries.size <= max) return;
    const nowMs = now();
    for (const [key, { setAtMs }] of entries) {
      if (entries.size <= max && Math.abs(nowMs - setAtMs) < maxAgeMs) return;
      entries.delete(key);
    }
  }

  function set(key: string, value: Value): void {
    entries.delete(key);
    entries.set(key, { value, setAtMs: now() });
    sweep();
  }

  return {
    get(key: string): Value | undefined {
      sweep();
      return entries.get(key)?.value;
    },
    /**
     * As `get`, but what is there counts as set just now, however old it is: for what is kept while
     * in use. At most ten times in `maxAgeMs`: each move to the end leaves a deleted slot in the
     * Map, which every sweep walks over.
     */
    touch(key: string): Value | undefined {
      const entry = entries.get(key);
      const isDue = entry !== undefined && Math.abs(now() - entry.setAtMs) >= maxAgeMs / 10;
      if (isDue) set(key, entry.value);
      return entry?.value;
    },
    set,
    delete: (key: string) => void entries.delete(key),
    /** Drops what is too old. Every other call does so, too: this is for when nobody calls. */
    sweep,
    keys(): string[] {
      sweep();
      return [...entries.keys()];
    },
    get size(): number {
      sweep();
      return entries.size;
    },
  };
}
