/** Mulberry32: the same seed gives the same run, on every machine. */
export interface Random {
  /** 0 <= x < 1 */
  next(): number;
  chance(probability: number): boolean;
  /** A whole number, both ends included. */
  between(low: number, high: number): number;
  pick<T>(list: readonly [T, ...T[]]): T;
}

export function createRandom(seed: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
  const below = (n: number): number => Math.floor(next() * n);
  return {
    next,
    chance: (probability) => probability > 0 && next() < probability,
    between: (low, high) => low + below(high - low + 1),
    pick: (list) => list[below(list.length)] ?? list[0],
  };
}
