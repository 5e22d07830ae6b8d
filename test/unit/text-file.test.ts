import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openReport } from '../../src/cli/batch/report.js';
import { loadDotenv } from '../../src/cli/environment.js';
import { bodyFrom } from '../../src/cli/input.js';

const folder = mkdtempSync(join(tmpdir(), 'gb-text-'));
const home = process.cwd();
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});
beforeEach(() => void jest.spyOn(process.stderr, 'write').mockReturnValue(true));
afterEach(() => jest.restoreAllMocks());

const json = '{"entries":[{"state":"failed","debt":{"lastname":"Żółkowski"}}]}';
const MARKED = [
  ['UTF-8 with a mark', (text: string) => Buffer.from(`\uFEFF${text}`)],
  ['UTF-16, as PowerShell writes it', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
] as const;

describe('a file that people write', () => {
  it.each(MARKED)('is read in %s: a body, a report and .env', (_what, encode) => {
    const path = join(folder, 'file.json');
    writeFileSync(path, encode(json));
    expect(bodyFrom(path)).toEqual(JSON.parse(json));
    const opened = openReport(path);
    opened.release();
    expect(opened.report.entries[0]?.debt).toEqual({ lastname: 'Żółkowski' });
    writeFileSync(join(folder, '.env'), encode('GB_TEXT_FIRST=ż\nGB_TEXT_SET=of the file\n'));
    process.env['GB_TEXT_SET'] = 'of the shell';
    process.chdir(folder);
    loadDotenv();
    expect([process.env['GB_TEXT_FIRST'], process.env['GB_TEXT_SET']]).toEqual([
      'ż',
      'of the shell',
    ]);
    delete process.env['GB_TEXT_FIRST'];
  });

  it.each([
    ['a comma too many', '[1,\n 2,\n {"name": "\u{1F600} some more text"},,\n 3,\n 4\n]\n', 3],
    ['a comma too many at the end', '[1,\n 2,\n]\n', 3],
    ['an end that is missing', '[1,\n 2\n\n', 2],
    ['a comma that is missing', '[1,\n 2\n 3]', 3],
  ])('that is not JSON is refused with the line to look at: %s', (_what, text, line) => {
    const path = join(folder, 'wrong.json');
    writeFileSync(path, text);
    const said = new RegExp(`is not valid JSON: look at line ${line}$`);
    expect(() => bodyFrom(path)).toThrow(said);
    expect(() => openReport(path)).toThrow(said);
  });

  it.each([
    ['is empty', ''],
    ['is empty', '\uFEFF \n'],
    [
      'has "amount" twice in one object: look at line 3',
      '[{"amount": 1,\n "a": {},\n "amount" :2}]',
    ],
    ['has "a\\"" twice in one object: look at line 1', '{"b": {"a\\"": 1, "a\\"": 1}}'],
  ])('that %s is refused with that reason', (reason, text) => {
    const path = join(folder, 'wrong.json');
    writeFileSync(path, text);
    expect(() => bodyFrom(path)).toThrow(`the file of --from ${reason}`);
    expect(() => openReport(path)).toThrow(`the file of --resume ${reason}`);
  });

  it('may have a name in several objects, and quotes, colons and brackets in its texts', () => {
    const path = join(folder, 'right.json');
    const body = [
      { a: 1, b: { a: '"a": {', c: ['{', { a: '\\' }] } },
      { a: '}', b: 'a' },
    ];
    writeFileSync(path, JSON.stringify(body, null, 1));
    expect(bodyFrom(path)).toEqual(body);
  });

  it('is refused in another encoding, in which letters of a name would be lost', () => {
    const path = join(folder, 'latin.json');
    writeFileSync(path, Buffer.from('{"lastname":"J\xfcrgens"}', 'latin1'));
    expect(() => bodyFrom(path)).toThrow('is not UTF-8');
    expect(() => openReport(path)).toThrow('the file of --resume is not UTF-8');
  });

  it('may have a comment in another encoding where it is .env', () => {
    writeFileSync(join(folder, '.env'), Buffer.from('# f\xfcr uns\nGB_TEXT_LATIN=1\n', 'latin1'));
    process.chdir(folder);
    loadDotenv();
    expect(process.env['GB_TEXT_LATIN']).toBe('1');
    delete process.env['GB_TEXT_LATIN'];
  });
});
