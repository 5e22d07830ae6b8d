import { Readable } from 'node:stream';
import { ResponseBody } from '../../src/getbill/response-body.js';

const IDLE_MS = 10_000;
const READER_STALL_MS = 120_000;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** A response that has begun and is too long to be whole. */
function setUp() {
  const ended: unknown[] = [];
  const streams: Readable[] = [];
  const connection = {
    paused: false,
    pause: () => void (connection.paused = true),
    resume: () => void (connection.paused = false),
  };
  const body = new ResponseBody({
    connection: connection as never,
    idleMs: IDLE_MS,
    onBody: (stream) => void (stream instanceof Readable && streams.push(stream)),
    endCall: (error) => void ended.push((error as { code?: unknown }).code),
  });
  body.add(Buffer.alloc(64 * 1024 + 1));
  return { body, connection, stream: streams[0], ended };
}

describe('a long body', () => {
  it('that nobody reads is held for two minutes, whatever GetBill may wait, and then given up', () => {
    const { connection, ended } = setUp();
    expect(connection.paused).toBe(true);
    jest.advanceTimersByTime(READER_STALL_MS - 1);
    expect(ended).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(ended).toEqual(['browser_left']);
  });

  it('that is read slowly goes on: nothing comes meanwhile, and the time of the reader does not count', () => {
    const { body, connection, stream, ended } = setUp();
    for (let chunk = 0; chunk < 5; chunk += 1) {
      expect(connection.paused).toBe(true);
      jest.advanceTimersByTime(READER_STALL_MS - 1);
      stream?.read();
      expect(connection.paused).toBe(false);
      body.add(Buffer.alloc(64 * 1024));
    }
    expect(ended).toEqual([]);
  });

  it('that is read is given up only when GetBill is silent', () => {
    const { body, connection, stream, ended } = setUp();
    jest.advanceTimersByTime(READER_STALL_MS - 1);
    stream?.read();
    expect(connection.paused).toBe(false);
    for (let chunk = 0; chunk < 4; chunk += 1) {
      jest.advanceTimersByTime(IDLE_MS - 1);
      body.add(Buffer.from('x'));
    }
    expect(ended).toEqual([]);
    jest.advanceTimersByTime(IDLE_MS);
    expect(ended).toEqual([DOMException.TIMEOUT_ERR]);
  });
});
