const KEPT_MS = 600_000;

/** Grants whose renewal GetBill has rejected as misconfigured in the last ten minutes. */
export function createRejectedGrants({ now }: { now: () => number }) {
  const rejectedAtMs = new Map<string, number>();

  function dropOld(): void {
    for (const [grant, atMs] of rejectedAtMs) {
      if (now() - atMs > KEPT_MS) rejectedAtMs.delete(grant);
    }
  }

  return {
    add(grant: string): void {
      dropOld(); // where nobody reads the metrics, nothing else would
      rejectedAtMs.set(grant, now());
    },
    count(): number {
      dropOld();
      return rejectedAtMs.size;
    },
    clear: () => rejectedAtMs.clear(),
  };
}
