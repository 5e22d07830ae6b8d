import { createAllowances } from '../../src/limits/shared-limits.js';
import { createMemoryKeyValue } from '../../src/core/storage/memory.js';

const MINUTE_MS = 60_000;

function setup() {
  let nowMs = 1_000_000;
  const now = (): number => nowMs;
  const keyValue = createMemoryKeyValue({ now });
  let commands = 0;
  const counting = {
    ...keyValue,
    increment: (...args: Parameters<typeof keyValue.increment>) => {
      commands += 1;
      return keyValue.increment(...args);
    },
  };
  const processOf = () => createAllowances({ keyValue: counting, now });
  return {
    processOf,
    commands: () => commands,
    pass: (ms: number) => void (nowMs += ms),
  };
}

const spend = async (
  allowances: ReturnType<typeof createAllowances>,
  times: number,
  most: number,
  key = 'k',
): Promise<number> => {
  const answers = await Promise.all(
    Array.from({ length: times }, async () => allowances.spend(key, { most, windowMs: MINUTE_MS })),
  );
  return answers.filter(({ granted }) => granted).length;
};

describe('a limit that several processes share', () => {
  it.each([10, 39, 40, 120, 1_000])('of %d is given out to the last one and no further', async (most) => {
    const { processOf } = setup();
    expect(await spend(processOf(), most * 2, most)).toBe(most);
  });

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
    const allowances = processOf();
    for (let call = 0; call < 120; call += 1) await spend(allowances, 1, 120);
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
    const allowances = processOf();
    await spend(allowances, 200, 120);
    const { granted, resetAtMs } = await allowances.spend('k', { most: 120, windowMs: MINUTE_MS });
    expect([granted, resetAtMs]).toEqual([false, 1_000_000 + MINUTE_MS]);
    pass(MINUTE_MS + 1);
    expect(await spend(allowances, 200, 120)).toBe(120);
  });

  it('gives back what it has not spent when the limit changes', async () => {
    const { processOf } = setup();
    const [a, b] = [processOf(), processOf()];
    await spend(a, 1, 1_000);
    expect(await spend(a, 20, 10)).toBe(9);
    expect(await spend(b, 20, 10)).toBe(0);
  });

  it('does not touch that of another key', async () => {
    const { processOf } = setup();
    const allowances = processOf();
    await spend(allowances, 200, 120);
    expect(await spend(allowances, 5, 120, 'other')).toBe(5);
  });
});
