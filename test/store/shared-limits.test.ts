import { createSharedLimits } from '../../src/limits/shared-limits.js';
import { StorageError } from '../../src/errors.js';
import type { AppEvent } from '../../src/events.js';
import { createMemoryKeyValue } from '../../src/core/storage/memory.js';

const MINUTE_MS = 60_000;

function setup() {
  let nowMs = 1_000_000;
  const now = (): number => nowMs;
  const keyValue = createMemoryKeyValue({ now });
  let commands = 0;
  const events: AppEvent[] = [];
  const counting = {
    ...keyValue,
    increment: (...args: Parameters<typeof keyValue.increment>) => {
      commands += 1;
      return keyValue.increment(...args);
    },
  };
  const processOf = () =>
    createSharedLimits({
      keyValue: counting,
      clientHash: 'a',
      emit: (event) => void events.push(event),
      now,
    });
  return {
    processOf,
    keyValue,
    events,
    commands: () => commands,
    pass: (ms: number) => void (nowMs += ms),
  };
}

const spend = async (
  limits: ReturnType<typeof createSharedLimits>,
  times: number,
  most: number,
  key = 'k',
): Promise<number> => {
  const answers = await Promise.all(
    Array.from({ length: times }, async () =>
      limits.consume('rate', key, { most, windowMs: MINUTE_MS }),
    ),
  );
  return answers.filter(({ granted }) => granted).length;
};

describe('a limit that several processes share', () => {
  it.each([10, 39, 40, 120, 1_000])(
    'of %d is given out to the last one and no further',
    async (most) => {
      const { processOf } = setup();
      expect(await spend(processOf(), most * 2, most)).toBe(most);
    },
  );

  it('is never exceeded by three processes together, and at most a tenth of it is left unused', async () => {
    const { processOf } = setup();
    const processes = [processOf(), processOf(), processOf()];
    const granted = await Promise.all(processes.map((one) => spend(one, 100, 120)));
    const sum = granted.reduce((a, b) => a + b);
    expect(sum).toBeLessThanOrEqual(120);
    expect(sum).toBeGreaterThanOrEqual(108);
  });

  it('costs one storage command for a twentieth of it', async () => {
    const { processOf, commands } = setup();
    const limits = processOf();
    for (let call = 0; call < 120; call += 1) await spend(limits, 1, 120);
    expect(commands()).toBe(20);
  });

  it('is counted one by one where it is small', async () => {
    const { processOf, commands } = setup();
    const [a, b] = [processOf(), processOf()];
    expect([await spend(a, 6, 10), await spend(b, 6, 10)]).toEqual([6, 4]);
    expect(commands()).toBe(12);
  });

  it('starts anew with the next window, and says when that is', async () => {
    const { processOf, pass } = setup();
    const limits = processOf();
    await spend(limits, 200, 120);
    await spend(limits, 1, 120, 'barely used');
    const refused = await limits.consume('rate', 'k', { most: 120, windowMs: MINUTE_MS });
    expect(refused).toEqual({ granted: false, resetInMs: MINUTE_MS });
    pass(MINUTE_MS + 1);
    expect(await spend(limits, 200, 120)).toBe(120);
    expect(await spend(limits, 200, 120, 'barely used')).toBe(120);
  });

  it('is counted anew when it changes, by every process', async () => {
    const { processOf } = setup();
    const [a, b] = [processOf(), processOf()];
    await spend(a, 1, 1_000);
    expect(await spend(a, 20, 10)).toBe(10);
    expect(await spend(b, 20, 10)).toBe(0);
  });

  it('counts what is charged to it', async () => {
    const { processOf } = setup();
    const limits = processOf();
    await limits.charge('rate', 'k', { most: 10, windowMs: MINUTE_MS }, 7);
    await limits.charge('rate', 'k', { most: 10, windowMs: MINUTE_MS }, 1);
    await limits.charge('rate', 'k', { most: 10, windowMs: MINUTE_MS }, 0);
    expect(await spend(limits, 20, 10)).toBe(2);
  });

  it.each(['null', '{}', 'a text', '1e999', '-5000'])(
    'replaces a counter of %s, and says so',
    async (value) => {
      const { processOf, keyValue, events } = setup();
      await spend(processOf(), 1, 10);
      await keyValue.set('rate:a:k:10/60', value, { ttlMs: MINUTE_MS });
      expect(await spend(processOf(), 20, 10)).toBe(10);
      expect(events).toEqual([{ type: 'record_replaced', record: 'limit' }]);
    },
  );

  it('does not replace a counter that the storage cannot reach now', async () => {
    const { processOf, keyValue, events } = setup();
    await spend(processOf(), 10, 10);
    const increment = jest
      .spyOn(keyValue, 'increment')
      .mockRejectedValueOnce(new StorageError('away'));
    await expect(spend(processOf(), 1, 10)).rejects.toBeInstanceOf(StorageError);
    expect(increment).toHaveBeenCalledTimes(1);
    expect(await spend(processOf(), 1, 10)).toBe(0);
    expect(events).toEqual([]);
  });

  it('replaces a counter that would never end', async () => {
    const { processOf, keyValue, events } = setup();
    await keyValue.set('rate:a:k:10/60', '10', { ttlMs: Infinity });
    expect(await spend(processOf(), 20, 10)).toBe(10);
    expect(events).toEqual([{ type: 'record_replaced', record: 'limit' }]);
  });

  it('is the same length for processes whose clocks are ten minutes apart', async () => {
    const { keyValue, pass } = setup();
    const processAt = (aheadMs: number) =>
      createSharedLimits({
        keyValue,
        clientHash: 'a',
        emit: () => undefined,
        now: () => 1_000_000 + aheadMs,
      });
    await spend(processAt(0), 120, 120);
    pass(59_000);
    for (const aheadMs of [-600_000, 600_000]) {
      const refused = await processAt(aheadMs).consume('rate', 'k', {
        most: 120,
        windowMs: MINUTE_MS,
      });
      expect(refused).toEqual({ granted: false, resetInMs: 1_000 });
    }
  });

  it('does not touch that of another key', async () => {
    const { processOf } = setup();
    const limits = processOf();
    await spend(limits, 200, 120);
    expect(await spend(limits, 5, 120, 'other')).toBe(5);
  });
});
