import type { IncomingMessage, ServerResponse } from 'node:http';
import { inTurns } from '../../src/in-turns.js';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const requestWith = (cookie: string | undefined, socket = { destroyed: false }): IncomingMessage =>
  ({ headers: { cookie }, socket }) as unknown as IncomingMessage;

function begin(...cookies: (string | undefined)[]): (string | undefined)[] {
  const begun: (string | undefined)[] = [];
  const handle = inTurns(({ headers }) => void begun.push(headers.cookie));
  for (const cookie of cookies) handle(requestWith(cookie), {} as ServerResponse);
  return begun;
}

describe('requests that arrive in one turn of the event loop', () => {
  it('begin at once, two of one browser', () => {
    expect(begin('a', 'b', 'a', 'b')).toEqual(['a', 'b', 'a', 'b']);
  });

  it('beyond two of one browser begin in the turns after it, behind those of all others', async () => {
    const begun = begin(...Array<string>(5).fill('a'), 'b', 'c');
    expect(begun.join('')).toBe('aabc');
    await nextTurn();
    expect(begun.join('')).toBe('aabcaa');
    await nextTurn();
    expect(begun.join('')).toBe('aabcaaa');
  });

  it('count as one browser’s when they carry no cookie', () => {
    expect(begin(...Array<undefined>(10).fill(undefined), 'b')).toHaveLength(3);
  });

  it('are never begun when their client hangs up while they wait', async () => {
    let begun = 0;
    const handle = inTurns(() => void (begun += 1));
    const socket = { destroyed: false };
    for (let count = 0; count < 10; count += 1)
      handle(requestWith('a', socket), {} as ServerResponse);
    socket.destroyed = true;
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    expect(begun).toBe(2);
  });

  it('are counted anew in each turn', async () => {
    const begun: string[] = [];
    const handle = inTurns(() => void begun.push('a'));
    for (let turn = 0; turn < 3; turn += 1) {
      for (let count = 0; count < 2; count += 1) handle(requestWith('a'), {} as ServerResponse);
      expect(begun).toHaveLength(2 * (turn + 1));
      await nextTurn();
    }
  });
});
