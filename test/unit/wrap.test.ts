/// <reference types="jest" />
import { columnsOf, wrap } from '../../src/wrap.js';

const words = 'one two three four five six seven eight nine ten eleven twelve';

describe('prose in a terminal', () => {
  it('breaks at spaces, below the text of its line', () => {
    expect(wrap(`      cause: ${words}`, 44).split('\n')).toEqual([
      '      cause: one two three four five six',
      '             seven eight nine ten eleven',
      '             twelve',
    ]);
    expect(wrap(`  - ${words}`, 44)).toMatch(/\n {4}\w/);
    expect(wrap(`pass  redirect URI         ${words}`, 60)).toMatch(/\n {27}\w/);
  });

  it('leaves an address whole, and short lines as they are', () => {
    const address = `http://localhost:4000/oauth/authorize?${'x'.repeat(100)}`;
    expect(wrap(`short\n${address}\n`, 80)).toBe(`short\n${address}\n`);
  });

  it('takes a terminal that nobody has told its size for one of any width', () => {
    const terminal = (columns: number) => ({ isTTY: true, columns }) as NodeJS.WriteStream;
    expect([0, 80].map((columns) => columnsOf(terminal(columns)))).toEqual([undefined, 80]);
  });

  it('breaks nothing without a terminal, or in one that is too narrow', () => {
    expect(wrap(words, undefined)).toBe(words);
    expect(wrap(words, 10)).toBe(words);
  });
});
