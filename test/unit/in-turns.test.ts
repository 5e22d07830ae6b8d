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
  it('begin at once, one of each browser', () => {
    expect(begin('a', 'b', 'c')).toEqual(['a', 'b', 'c']);
  });

  it('begin in the turns after it where one browser sends several, behind those of all others', async () => {
    const begun = begin('a', 'a', 'a', 'b', 'c', 'b');
    expect(begun.join('')).toBe('abc');
    await nextTurn();
    expect(begun.join('')).toBe('abcab');
    await nextTurn();
    expect(begun.join('')).toBe('abcaba');
  });

  it('count as one browser’s when they carry no cookie', () => {
    expect(begin(...Array<undefined>(10).fill(undefined), 'b')).toHaveLength(2);
  });

  it('are never begun when their client hangs up while they wait', async () => {
    let begun = 0;
    const handle = inTurns(() => void (begun += 1));
    const socket = { destroyed: false };
    for (let count = 0; count < 10; count += 1)
      handle(requestWith('a', socket), {} as ServerResponse);
    socket.destroyed = true;
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    expect(begun).toBe(1);
  });

  it('begin at once when the earlier ones of their browser began in a turn before', async () => {
    const begun: string[] = [];
    const handle = inTurns(() => void begun.push('a'));
    for (let turn = 0; turn < 3; turn += 1) {
      handle(requestWith('a'), {} as ServerResponse);
      expect(begun).toHaveLength(turn + 1);
      await nextTurn();
    }
  });
});
