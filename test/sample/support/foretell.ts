// Math.random in V8 is xorshift128+, read from its first word: every bit that is seen is a sum (exclusive or) of the 128
// bits of its inner state. Four numbers give more equations than there are unknowns. Values come newest first out of a
// batch of 64, so the next number is the one generated before those that were seen.

const DIGITS = /^[0-9a-z]+$/;
const MASK = (1n << 64n) - 1n;
const SEEN_BITS = 48n; // of 52, in newer versions of V8 of 53; writing a number in base 36 blurs the last ones

/** What `Math.random().toString(36).substring(2, 15)` gives next, after these; `undefined` when a new batch has begun. */
export function foretell(states: readonly string[]): string | undefined {
  if (!states.every((state) => DIGITS.test(state))) return undefined;
  const numbers = states.map(bitsOf53).reverse(); // as they were generated
  const start = solve(numbers.flatMap((number, step) => equations(number, step + 1)));
  if (start === undefined) return undefined;
  const words = [start[0]];
  for (let inner = start; words.length <= states.length; words.push(inner[0]))
    inner = stepped(inner);
  for (const bits of [52, 53]) {
    const written = words.map((word) =>
      (Number(word >> BigInt(64 - bits)) / 2 ** bits).toString(36).substring(2, 15),
    );
    if (written.slice(1).reverse().join() === states.join()) return written[0];
  }
  return undefined;
}

/** xorshift128+ as V8 steps it; `equations` says the same of sums. */
function stepped([first, second]: [bigint, bigint]): [bigint, bigint] {
  const once = (first ^ (first << 23n)) & MASK;
  const twice = once ^ (once >> 17n);
  return [second, twice ^ second ^ (second >> 26n)];
}

/** "0.<digits>" in base 36, in units of 2^-53. */
function bitsOf53(digits: string): bigint {
  let value = 0n;
  for (const digit of digits) value = value * 36n + BigInt(parseInt(digit, 36));
  const scale = 36n ** BigInt(digits.length);
  return ((value << 54n) / scale + 1n) >> 1n;
}

/** One inner word as 64 sums of unknowns: bit n of a sum says whether unknown n is in it. Lowest bit first. */
type Word = bigint[];

const plus = (a: Word, b: Word): Word => a.map((sum, bit) => sum ^ (b[bit] ?? 0n));
const left = (word: Word, by: number): Word => word.map((_sum, bit) => word[bit - by] ?? 0n);
const right = (word: Word, by: number): Word => word.map((_sum, bit) => word[bit + by] ?? 0n);

/** The sums that were seen in the number `step` steps after the start, each with its value at bit 128. */
function equations(number: bigint, step: number): bigint[] {
  const unknowns = Array.from({ length: 128 }, (_, index) => 1n << BigInt(index));
  let [first, second]: [Word, Word] = [unknowns.slice(0, 64), unknowns.slice(64)];
  for (let done = 0; done < step; done += 1) {
    const once = plus(first, left(first, 23));
    const twice = plus(once, right(once, 17));
    [first, second] = [second, plus(plus(twice, second), right(second, 26))];
  }
  const seen = first.slice(Number(64n - SEEN_BITS)); // the upper ones
  return seen.map(
    (sum, index) => sum | (((number >> (BigInt(index) + 53n - SEEN_BITS)) & 1n) << 128n),
  );
}

/** Gauss over one bit: both words at the start; `undefined` when the sums contradict each other or leave something open. */
function solve(sums: bigint[]): [bigint, bigint] | undefined {
  let rest = sums;
  const solved: bigint[] = [];
  for (let unknown = 0n; unknown < 128n; unknown += 1n) {
    const bit = 1n << unknown;
    const pivot = rest.find((sum) => (sum & bit) !== 0n);
    if (pivot === undefined) return undefined;
    const without = (sum: bigint): bigint => ((sum & bit) === 0n ? sum : sum ^ pivot);
    rest = rest.filter((sum) => sum !== pivot).map(without);
    solved.forEach((sum, index) => (solved[index] = without(sum)));
    solved.push(pivot);
  }
  if (rest.some((sum) => sum !== 0n)) return undefined;
  const state = solved.reduce((all, sum, unknown) => all | ((sum >> 128n) << BigInt(unknown)), 0n);
  return [state & MASK, state >> 64n];
}
