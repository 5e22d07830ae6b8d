import { execFileSync } from 'node:child_process';
import { errorFrom, unwrapItem, unwrapNested, unwrapPage } from '../../src/getbill/envelope.js';
import { companyView } from '../../src/web/pages/company.js';
import { debtView } from '../../src/web/pages/debt.js';
import { pageHref } from '../../src/web/pages/facts.js';
import { followupList, followupView } from '../../src/web/pages/followups.js';
import { debtList } from '../../src/web/pages/debt-list.js';
import { debtRow } from '../../src/web/pages/debt-row.js';
import { formats } from '../../src/web/pages/formats.js';
import { UNKNOWN_READER } from '../support/reader.js';
import { describeScope } from '../../src/web/pages/scope-texts.js';
import { statusOf } from '../../src/web/pages/statuses.js';
import { tokenTimeline } from '../../src/web/pages/token-timeline.js';

describe('a date of GetBill', () => {
  it.each([
    ['2024-01-15', '15 Jan 2024', '15 Jan 2024'],
    ['2024-01-15T10:30:00', '15 Jan 2024', '15 Jan 2024, 10:30 UTC'],
    ['2024-01-15 10:30:00', '15 Jan 2024', '15 Jan 2024, 10:30 UTC'],
    ['2024-01-15T10:30', '15 Jan 2024', '15 Jan 2024, 10:30 UTC'],
    ['2024-01-15T10:30:00Z', '15 Jan 2024', '15 Jan 2024, 10:30 UTC'],
    ['2024-01-15T10:30:00.123+00:00', '15 Jan 2024', '15 Jan 2024, 10:30 UTC'],
    ['2024-01-15T00:30:00+02:00', '15 Jan 2024', '14 Jan 2024, 22:30 UTC'],
    ['2024-01-15T23:30:00-0500', '15 Jan 2024', '16 Jan 2024, 04:30 UTC'],
    ['2024-02-29', '29 Feb 2024', '29 Feb 2024'],
  ])('%s is read as it was meant', (value, date, dateTime) => {
    expect([formats.date(value)?.text, formats.dateTime(value)?.text]).toEqual([date, dateTime]);
    expect(formats.date(value)?.iso).toMatch(/^2024-0[12]-\d\d$/);
  });

  it.each(['2024-02-30', '2023-02-29', '2024-13-01', '2024-00-10', '2024-01-15T25:00:00Z', '2024-01-15T10:61', '2024-01-15T10:30:00+99:00', '0000-00-00', '15/01/2024', 'tomorrow', '1705314600', 'Mon Jan 15 2024'])(
    '%s is shown as it came',
    (value) => {
      expect([formats.date(value), formats.dateTime(value)]).toEqual([{ text: value }, { text: value }]);
    },
  ); // prettier-ignore

  it('of another type is shown as it came, and nothing is nothing', () => {
    expect(formats.date(1_705_314_600)).toEqual({ text: '1705314600' });
    expect(formats.dateTime({ at: 1 })).toEqual({ text: '{"at":1}' });
    for (const nothing of [null, undefined, '', '  '])
      expect(formats.date(nothing)).toBeUndefined();
  });

  it('reads alike on a machine of any zone', () => {
    const script =
      "import { formats } from './src/web/pages/formats.ts'; console.log(JSON.stringify(['2024-01-15T10:30:00', '2024-07-15 23:59', '2024-03-10', '2024-03-31T02:30:00'].map((value) => [formats.date(value), formats.dateTime(value)])))";
    const read = (TZ: string): string =>
      execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { env: { ...process.env, TZ }, encoding: 'utf8' }); // prettier-ignore
    const inUtc = read('UTC');
    expect(inUtc).toContain('15 Jan 2024, 10:30 UTC');
    for (const zone of ['America/New_York', 'Pacific/Kiritimati']) expect(read(zone)).toBe(inUtc);
  });
});

describe('an amount', () => {
  it.each([
    [1250, 'EUR', undefined, '€1,250.00'],
    ['1250.5', 'EUR', undefined, '€1,250.50'],
    [null, 'EUR', '99.90', '€99.90'],
    ['12345678901234567890.12', 'EUR', undefined, '€12,345,678,901,234,567,890.12'],
    [5, 'EURO', undefined, '5 EURO'],
    [5, null, '5.00', '5.00'],
    ['1 250,00', 'EUR', undefined, '1 250,00 EUR'],
    [Infinity, 'EUR', undefined, undefined],
    [{ value: 5 }, 'EUR', undefined, '{"value":5} EUR'],
    [null, 'EUR', null, undefined],
    [undefined, undefined, undefined, undefined],
  ])('of %p %p (%p) is %p', (amount, currency, text, shown) => {
    expect(formats.money(amount, currency, text)).toBe(shown);
  });
});

describe('the name in a list', () => {
  it.each([
    [{ firstname: 'Anaïs', lastname: ' Çelik ' }, 'Anaïs Çelik'],
    [{ firstname: '   ', lastname: null, debtor_company: 'ACME' }, 'ACME'],
    [{ firstname: '   ' }, 'No name given'],
    [{ firstname: '\u200b\u2060', lastname: '\u3164\u2800\u00ad' }, 'No name given'],
    [{ firstname: 7, lastname: false }, '7 false'],
    [{}, 'No name given'],
    [null, 'No name given'],
    [[], 'No name given'],
    [JSON.parse('{"__proto__":{"firstname":"x"},"constructor":{"lastname":"y"}}'), 'No name given'],
    [{ firstname: 'A\ud800B' }, 'A\ufffdB'],
  ])('of %p is %p', (debt, name) => {
    expect(debtRow(debt, UNKNOWN_READER).name).toBe(name);
  });

  it.each([
    [{ civility: 'Ms', firstname: 'Anaïs' }, 'Ms Anaïs'],
    [{ civility: 'Ms', debtor_company: 'ACME' }, 'ACME'],
    [{ civility: 'Ms' }, 'No name given'],
  ])('on the page of %p is %p', (debt, name) => {
    expect(debtView(debt, UNKNOWN_READER).name).toBe(name);
  });

  it('is a link only to an id that an address can hold', () => {
    expect(debtRow({ id: 'abc_-1' }, UNKNOWN_READER).href).toBe('/debts/abc_-1');
    expect(debtRow({ id: 7 }, UNKNOWN_READER).href).toBe('/debts/7');
    for (const id of ['\ud800', 'a/b', '..', ' ', null, undefined, {}, 'x'.repeat(200)]) {
      expect(debtRow({ id }, UNKNOWN_READER).href).toBeUndefined();
    }
  });
});

const deep = JSON.parse('['.repeat(5_000) + ']'.repeat(5_000)) as unknown;
const odd: readonly unknown[] = [
  null,
  0,
  -1,
  Infinity,
  '',
  'text',
  '\ud800',
  true,
  [],
  {},
  [null],
  { toString: 1 },
  deep,
];

it.each(odd.map((value, index) => [index, value]))(
  'no view fails for a value of another type (%d)',
  (_index, value) => {
    const names = ['id', 'civility', 'firstname', 'lastname', 'debtor_company', 'email', 'phone', 'amount', 'amount_text', 'currency', 'status', 'due_date', 'invoice_date', 'summary', 'street_number', 'city', 'followups_count', 'payment_plan_active', 'type', 'direction', 'call_date', 'duration_ms', 'email_open_count', 'name', 'created_at', 'notes']; // prettier-ignore
    const record = Object.fromEntries(names.map((name) => [name, value]));
    for (const one of [record, value]) {
      debtRow(one, UNKNOWN_READER);
      debtView(one, UNKNOWN_READER);
      followupView(one, UNKNOWN_READER);
      companyView(one, UNKNOWN_READER);
      statusOf(one);
      followupList(
        { items: [one], pagination: { total: 1, page: 1, limit: 20, pages: 1 } },
        one,
        UNKNOWN_READER,
      );
    }
  },
);

it('words of ours are found by name alone, never in what every object has', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    expect(describeScope(name)).toBe(name);
    expect(statusOf(name)).toEqual({ value: name, label: name, colour: 'none' });
    expect(followupView({ type: name, status: name }, UNKNOWN_READER).title.toLowerCase()).toBe(
      name.replaceAll('_', ' ').toLowerCase(),
    );
  }
});

describe('an envelope', () => {
  const page = (pagination: unknown, entries = 20, request = { page: 3, limit: 20 }) =>
    unwrapPage({ data: Array.from({ length: entries }, () => ({})), pagination }, request)
      .pagination;

  it.each([
    [
      { total: '1247', page: '3', limit: '20', pages: '63' },
      { total: 1247, page: 3, limit: 20, pages: 63 },
    ],
    [
      { total: 41, page: 3, limit: 20, pages: 2.05 },
      { total: 41, page: 3, limit: 20, pages: 3 },
    ],
    [{ total: 1247 }, { total: 1247, page: 3, limit: 20, pages: 63 }],
    [{ page: 0 }, { total: 20, page: 1, limit: 20, pages: 2 }],
    [
      { total: null, page: null, limit: null, pages: null },
      { total: 60, page: 3, limit: 20, pages: 4 },
    ],
    [
      { total: -1, page: 'x', limit: 0, pages: Infinity },
      { total: 22, page: 3, limit: 1, pages: 4 },
    ],
    [
      { total: 1e308, page: 1e308, limit: '9'.repeat(30), pages: 1e21 },
      { total: 60, page: 3, limit: 20, pages: 4 },
    ],
    [null, { total: 60, page: 3, limit: 20, pages: 4 }],
    [[], { total: 60, page: 3, limit: 20, pages: 4 }],
  ])('with a pagination of %j is a list', (pagination, expected) => {
    expect(page(pagination)).toEqual({ ...expected, ...(expected.limit === 1 && { total: 22 }) });
  });

  it('without pagination ends where a page is not full', () => {
    expect(page(undefined, 7)).toEqual({ total: 47, page: 3, limit: 20, pages: 3 });
    const whole = { data: Array.from({ length: 20 }, () => ({})) }; // GetBill sends 20 unless it is asked for more
    expect(unwrapPage(whole).pagination).toEqual({ total: 20, page: 1, limit: 20, pages: 2 });
  });

  it('keeps what can be read of a list, and counts the rest', () => {
    expect(unwrapPage({ data: [{ id: 1 }, null, 'x', [], { id: 2 }] })).toMatchObject({ items: [{ id: 1 }, { id: 2 }], unreadable: 3 }); // prettier-ignore
    for (const data of [null, {}, 'x', undefined])
      expect(() => unwrapPage({ data })).toThrow('no usable "data"');
  });

  it('has at most ten times the entries that GetBill sends: to show more would hold up everybody', () => {
    const data = (length: number) => ({ data: Array.from({ length }, () => ({})) });
    expect(unwrapPage(data(1_000)).items).toHaveLength(1_000);
    expect(() => unwrapPage(data(1_001))).toThrow('no usable "data"');
  });

  it('is opened twice only where it is documented', () => {
    const json = { data: { id: 1, data: { id: 2 } } };
    expect([unwrapItem(json), unwrapNested(json)]).toEqual([{ id: 1, data: { id: 2 } }, { id: 2 }]);
    expect(unwrapNested({ data: { id: 1, data: null } })).toEqual({ id: 1, data: null });
  });

  it('of an error may name any field', () => {
    const json = JSON.parse('{"message":7,"details":{"__proto__":["a"],"constructor":[null,{"x":1}]},"errors":[{"property":"constructor","message":"b"},{"property":"toString"},null]}') as unknown; // prettier-ignore
    const { message, fields, retryAfterS } = errorFrom(json, { status: 400, retryAfter: 'soon' });
    expect(Object.entries(fields)).toEqual([['__proto__', ['a']], ['constructor', ['', '{"x":1}', 'b']], ['toString', ['']]]); // prettier-ignore
    expect([message, retryAfterS]).toEqual(['7', undefined]);
    const silent = errorFrom({ error: true }, { status: 409, retryAfter: undefined });
    expect(silent.message).toBe('the API answered 409');
  });

  it('of an error may name one text for a field, or texts by something else', () => {
    const fieldsOf = (details: unknown) =>
      errorFrom({ details }, { status: 422, retryAfter: undefined }).fields;
    const details = { amount: 'too small', debtor: { email: 'no address' }, note: null };
    expect(fieldsOf(details)).toEqual({
      amount: ['too small'],
      debtor: ['{"email":"no address"}'],
    });
    expect(fieldsOf('too small')).toEqual({ '': ['too small'] });
    expect(fieldsOf(undefined)).toEqual({});
  });

  it('of an error may have as many messages of one field as fit into a response', () => {
    const errors = Array.from({ length: 30_000 }, () => ({}));
    const startedMs = performance.now();
    const { fields } = errorFrom({ errors }, { status: 422, retryAfter: undefined });
    expect(performance.now() - startedMs).toBeLessThan(1_000); // all others wait meanwhile
    expect(fields['']).toHaveLength(30_000);
  });
});

it('a list says where it ends, and an empty one why', () => {
  const pagination = { total: 41, page: 3, limit: 20, pages: 3 };
  const place = { status: '', page: 1, limit: 20 };
  const paid = { ...place, status: 'status.default.paid', page: 3 };
  const { pager } = debtList({ items: [{}], pagination }, paid, UNKNOWN_READER);
  expect([pager?.text, pager?.range]).toEqual(['Page 3 of 3', '41 to 41 of 41']);
  expect(pager?.before.map(({ href }) => href)).toEqual([
    '/debts?status=status.default.paid',
    '/debts?status=status.default.paid&page=2',
  ]);
  expect(pager?.after.map(({ href }) => href)).toEqual([undefined, undefined]);
  const emptyTitle = (changes: object): string | undefined =>
    debtList({ items: [], pagination: { ...pagination, ...changes } }, place, UNKNOWN_READER).empty
      ?.title;
  expect(emptyTitle({ page: 9 })).toBe('There is no page 9');
  expect(emptyTitle({ total: 0, page: 1 })).toBe('No debts yet');
});

it('a list whose figures contradict each other says nothing that its rows deny', () => {
  const place = { status: '', page: 1, limit: 20 };
  const rows = (count: number) => Array.from({ length: count }, () => ({}));
  const none = { total: 0, page: 1, limit: 20, pages: 0 };
  expect(debtList({ items: rows(2), pagination: none }, place, UNKNOWN_READER).kicker).toBe(
    '2 debts',
  );
  const short = { total: 25, page: 2, limit: 20, pages: 2 };
  const { kicker, pager } = debtList({ items: rows(30), pagination: short }, place, UNKNOWN_READER);
  expect([kicker, pager?.range, pager?.text]).toEqual([
    '50 debts',
    '21 to 50 of 50',
    'Page 2 of 3',
  ]);
  const empty = (changes: object) =>
    debtList({ items: [], pagination: { ...none, ...changes } }, place, UNKNOWN_READER).empty;
  expect(empty({ total: 5, page: 3 })?.text).toBe('The list ends at page 1.');
  expect(empty({ total: 1247, pages: 63 })?.title).not.toMatch(/no debts/i);
});

describe('the timeline of a token', () => {
  const tokenSet = {
    accessToken: 'a',
    refreshToken: 'r',
    scopes: ['debts:read'],
    issuedAtMs: 0,
    expiresAtMs: 3_600_000,
    renewals: 1,
  };
  const at = (nowMs: number, changes = {}) =>
    tokenTimeline({ ...tokenSet, ...changes }, { marginMs: 60_000, nowMs, formats });

  it('says when it was renewed just now, and later how often', () => {
    expect(at(2_000).points[0]?.note).toBe('Renewed just now');
    expect(at(60_000).points[0]?.note).toBe('Renewed once');
    expect(at(60_000, { renewals: 1_200 }).points[0]?.note).toBe('Renewed 1,200 times');
    expect(at(2_000, { renewals: 0 }).points[0]?.note).toBe('Not renewed so far');
  });

  it('says "may" only of what GetBill has named', () => {
    expect(at(0).scopesTitle).toBe('This app may');
    expect(at(0, { scopesAssumed: true }).scopesTitle).toBe('This app asked for');
  });

  it('ends with the access token when there is nothing to renew it with', () => {
    const { points, isRenewable } = at(0, { refreshToken: undefined });
    expect([points.map(({ label }) => label), isRenewable]).toEqual([['Issued', 'Expires'], false]);
  });
});

it.each([
  ['https://pay.example/1?to=a@b.c', 'https://pay.example/1?to=a@b.c'],
  ['https://pay.example?to=a@b.c', 'https://pay.example/?to=a@b.c'],
  ['https://getbill.io@evil.example/pay', undefined],
  ['https://getbill.io:x@evil.example', undefined],
  ['https:///evil.example', undefined],
  ['https://getbill.io\\@evil.example', undefined],
])('a payment link is a link when its host is in front: %s', (url, href) => {
  expect(pageHref(url)).toBe(href);
});
