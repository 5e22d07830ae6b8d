import { Registry } from 'prom-client';
import type { AppEvent } from '../../src/events.js';
import { createMetrics } from '../../src/telemetry/metrics.js';

const MINUTE_MS = 60_000;

const rejected = (grant: string): AppEvent => ({
  type: 'refresh_failed',
  grant,
  outcome: 'misconfigured',
  reason: 'invalid_client',
});

/** The metric over a clock that can be set. */
function setUp() {
  let nowMs = 0;
  const metrics = createMetrics({ now: () => nowMs, registry: new Registry() });
  function rejectAt(atMs: number, grant: string): void {
    nowMs = atMs;
    metrics.read(rejected(grant));
  }
  async function countAt(atMs: number): Promise<number> {
    nowMs = atMs;
    const { body } = await metrics.text();
    return Number(/^getbill_connect_rejected_grants (\d+)$/m.exec(body)?.[1]);
  }
  return { rejectAt, countAt };
}

describe('the grants whose renewal was rejected', () => {
  it('count for ten minutes', async () => {
    const { rejectAt, countAt } = setUp();
    rejectAt(0, 'one');
    rejectAt(5 * MINUTE_MS, 'two');
    expect(await countAt(10 * MINUTE_MS)).toBe(2);
    expect(await countAt(11 * MINUTE_MS)).toBe(1);
  });

  it('are dropped by the next one, also where nobody reads the metrics', async () => {
    const { rejectAt, countAt } = setUp();
    rejectAt(0, 'one');
    rejectAt(11 * MINUTE_MS, 'two');
    // back at minute 0 the first would count again if it was still held
    expect(await countAt(0)).toBe(1);
  });
});
