/// <reference types="jest" />
import { parseRetryAfter } from '../../src/core/oauth/retry-after.js';

const nowMs = Date.UTC(2026, 5, 1, 12, 0, 0); // a Monday

describe('"Retry-After"', () => {
  it.each<[unknown, number]>([
    ['17', 17],
    [' 17 ', 17],
    ['0', 1],
    ['0.2', 1],
    ['2.4', 3],
    ['86401', 86_400],
    ['9'.repeat(400), 86_400],
    [['30', '60'], 30],
    ['Mon, 01 Jun 2026 12:00:30 GMT', 30],
    ['Monday, 01-Jun-26 12:00:30 GMT', 30],
    ['Mon Jun  1 12:00:30 2026', 30],
    ['mon, 01 jun 2026 12:00:30 gmt', 30],
    ['Mon, 01 Jun 2026 12:00:30 UTC', 30],
    ['Mon, 01 Jun 2026 12:00:30 +0000', 30],
    [String(Date.UTC(2026, 5, 1, 12, 0, 30) / 1000), 30],
    [String(Date.UTC(2026, 5, 1, 11, 0, 0) / 1000), 1],
    ['Mon, 01 Jun 2026 11:59:00 GMT', 1],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 86_400],
  ])('%j is %d seconds', (value, seconds) => {
    expect(parseRetryAfter(value, { nowMs })).toBe(seconds);
  });

  it.each<unknown>([
    undefined,
    '',
    '-5',
    '+5',
    '1e3',
    '0x10',
    'NaN',
    'Infinity',
    '2026-06-01T12:00:30Z',
    'soon',
    '30, 60',
    'Mon, 99 Foo 2026 12:00:30 GMT',
    'Mon, 01 Jun 2026 12:00:30 +0500',
    30,
    null,
    {},
    [],
  ])('%j says nothing', (value) => {
    expect(parseRetryAfter(value, { nowMs })).toBeUndefined();
  });

  it('as seconds since 1970 is counted from the date of the same response', () => {
    const date = 'Mon, 01 Jun 2026 12:00:10 GMT';
    const value = String(Date.UTC(2026, 5, 1, 12, 0, 30) / 1000);
    expect(parseRetryAfter(value, { nowMs: nowMs - 600_000, date })).toBe(20);
  });

  it('as a date is counted from the date of the same response, whatever our clock says', () => {
    const value = 'Mon, 01 Jun 2026 12:00:30 GMT';
    expect(
      parseRetryAfter(value, { nowMs: nowMs - 600_000, date: 'Mon, 01 Jun 2026 12:00:10 GMT' }),
    ).toBe(20);
    expect(parseRetryAfter(value, { nowMs, date: 'nonsense' })).toBe(30);
  });
});
