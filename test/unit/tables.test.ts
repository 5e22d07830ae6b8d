import { csv } from '../../src/cli/csv.js';
import { itemTable, listTable, type Columns } from '../../src/cli/tables.js';
import { totalsOf } from '../../src/cli/totals.js';

const columns: Columns = {
  id: ['id'],
  debtor: ['first', 'last'],
  amount: ['amount_text', 'currency'],
  note: ['note'],
};
const rows = [
  {
    id: 'EswJUp0C9Dh1MaZkgVK6IQ',
    first: 'Anaïs',
    last: 'Çelik',
    amount_text: '9.50',
    currency: 'EUR',
    note: 'n'.repeat(90),
  },
  {
    id: 'Sft8_IClqynlOs-4C9aU6Q',
    first: 'F'.repeat(30),
    last: '',
    amount_text: '1250.00',
    currency: 'EUR',
    note: '',
  },
];
const widest = (table: string): number => Math.max(...table.split('\n').map((line) => line.length));

describe('a table', () => {
  it.each([126, 100, 80, 62])('fits %d columns, with whole ids', (width) => {
    const table = listTable(columns, rows, width);
    expect(widest(table)).toBeLessThanOrEqual(width);
    for (const { id } of rows) expect(table).toContain(` ${id} `);
  });

  it('of 46 columns is no wider, and of 10 is as narrow as it can be read', () => {
    expect(widest(listTable(columns, rows, 46))).toBeLessThanOrEqual(46);
    expect(listTable(columns, rows, 10)).toContain('EswJUp0…');
  });

  it.each([60, 54, 50])('of %d columns leaves the amounts whole', (width) => {
    const table = listTable(columns, rows, width);
    for (const amount of ['9.50 EUR', '1250.00 EUR']) expect(table).toContain(` ${amount} │`);
  });

  it.each([60, 46, 40])('of %d columns leaves out others to keep ids and amounts, and says so', (width) => {
    const table = listTable(columns, rows, width);
    expect(widest(table)).toBeLessThanOrEqual(width);
    for (const { id } of rows) expect(table).toContain(` ${id} `);
    expect(table).toMatch(/ 1250\.00 EUR │[^]*\nno room for: .*note$/);
  }); // prettier-ignore

  it('without a terminal cuts long texts only', () => {
    expect(listTable(columns, rows)).toContain(`${'n'.repeat(39)}…`);
  });

  it('counts letters that are two columns wide as two, and cuts none of them in half', () => {
    const notes = ['株式会社東京エネルギー債権回収', '😀'.repeat(30), 'e\u0301'.repeat(30)];
    const table = listTable(
      columns,
      notes.map((note) => ({ ...rows[0], note })),
      75,
    );
    const asNarrow = table
      .normalize('NFC')
      .replaceAll(/[株式会社東京エネルギー債権回収😀]/gu, '..');
    expect(new Set(asNarrow.split('\n').map((line) => line.length))).toEqual(new Set([75]));
    expect(Buffer.from(table).toString()).toBe(table);
  });

  it.each([
    ['スーパー、「堺」・￥', 20],
    ['ｶﾅ ﾊﾝｶｸ ｶﾞ', 10],
    ['한국 ㈜ 、', 10],
  ])('knows the width of "%s"', (note, width) => {
    const [top = ''] = listTable({ note: ['note'] }, [{ note }]).split('\n');
    expect(top.length - 4).toBe(width);
  });

  it('has as many rows as a company has debts, and an item as many fields', () => {
    const many = Array.from({ length: 130_000 }, (_, index) => ({ id: `d${index}` }));
    expect(listTable({ id: ['id'] }, many, 80).split('\n')).toHaveLength(130_004);
    expect(itemTable(Object.fromEntries(many.map(({ id }) => [id, '']))).split('\n')).toHaveLength(
      130_002,
    );
  });

  it('has amounts under each other', () => {
    expect(listTable(columns, rows)).toMatch(/│ {4}9\.50 EUR │/);
  });
});

describe('CSV', () => {
  it('quotes what must be quoted, and lets no spreadsheet run a formula', () => {
    const cells = [
      'plain',
      'a,b',
      'say "hi"',
      '=1+1',
      '@SUM',
      '-5.00',
      '-x',
      '+49 30',
      '-1+1',
      '-1.2.3',
      '＝1+1',
      '\t=1+1',
    ];
    const lines = csv(
      { note: ['note'] },
      cells.map((note) => ({ note })),
    ).split('\n');
    expect(lines).toEqual([
      'note',
      'plain',
      '"a,b"',
      '"say ""hi"""',
      `"'=1+1"`,
      `"'@SUM"`,
      '-5.00',
      `"'-x"`,
      `"'+49 30"`,
      `"'-1+1"`,
      `"'-1.2.3"`,
      `"'＝1+1"`,
      `"' =1+1"`,
    ]);
  });
});

it('amounts are added up by currency, to the cent', () => {
  const debts = [0.1, 0.2, '4.35', undefined].map((amount) => ({ amount, currency: 'EUR' }));
  expect(totalsOf([...debts, { amount_text: '7.00', currency: 'USD' }])).toBe(
    '5 debts, 4.65 EUR and 7.00 USD',
  );
  expect(totalsOf([{}])).toBe('1 debt');
});

it.each([
  [['1.005', '1.005'], '2.01'],
  [['1.005', 0.25], '1.255'],
  [['-0.001', -0.001], '-0.002'],
  [[1500, '250'], '1750.00'],
])('amounts with three decimals, as of Tunisia, are added up whole: %j', (amounts, sum) => {
  const debts = amounts.map((amount) => ({ amount, currency: 'TND' }));
  expect(totalsOf(debts)).toBe(`2 debts, ${sum} TND`);
});

it('one item fits the terminal, and nothing of it is lost', () => {
  const note = `{"plan":"Professional","notes":"${'株式会社 '.repeat(20)}"}`;
  const table = itemTable({ current_credits: 847, subscription: note, empty: null }, 60);
  const lines = table.split('\n');
  expect(Math.max(...lines.map((line) => line.replace(/[株式会社]/gu, 'xx').length))).toBe(60);
  const values = lines.slice(1, -1).map((line) => line.split('│')[2]?.slice(1, -1) ?? '');
  expect(values.join('').replaceAll(' ', '')).toContain(note.replaceAll(' ', ''));
  expect(itemTable({ subscription: note })).toContain(` ${note} `);
});
