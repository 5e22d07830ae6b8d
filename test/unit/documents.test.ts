import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventsTable } from '../../scripts/support/generated-docs.js';
import { symbolLinkFaults } from '../../scripts/support/symbol-links.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gb-links-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function faultsOf(link: string, code: string): string[] {
  writeFileSync(join(folder, 'code.ts'), code);
  writeFileSync(join(folder, 'page.md'), `See ${link}.\n`);
  return symbolLinkFaults(join(folder, 'page.md'));
}

describe('a link from a document into code', () => {
  it('stays good when lines are inserted above its symbol', () => {
    expect(faultsOf('[`answerAll`](code.ts)', 'export function answerAll() {}\n')).toEqual([]);
    expect(faultsOf('[`answerAll`](code.ts)', '\n\n\nexport function answerAll() {}\n')).toEqual(
      [],
    );
  });

  it.each([
    ['whose symbol is gone', '[`answerAll`](code.ts)', 'export function answerSome() {}\n'],
    ['whose symbol is only a part of another', '[`answerAll`](code.ts)', 'answerAllOfThem();\n'],
    ['that names another file', '[`old-name.ts`](code.ts)', ''],
    ['that names another folder', '[`old-folder/code.ts`](code.ts)', ''],
    ['that names a line', '[`answerAll`](code.ts#L1)', 'answerAll();\n'],
  ])('is a fault %s', (_name, link, code) => {
    expect(faultsOf(link, code)).toHaveLength(1);
  });
});

it.each([
  ['an object type', 'rate_limited', '`limit`'],
  ['a part of an intersection', 'token_revoked', '`grant`, `outcome` (`ok`, `failed`)'],
  ['an interface', 'api_failed', '`route`, `reason`, `method`, `status`, `contentType`'],
  ['two types of one name', 'record_replaced', '`pending_login`, `limit`'],
])('the table of events has the fields of %s', (_kind, event, fields) => {
  const row = eventsTable()
    .split('\n')
    .find((line) => line.startsWith(`| \`${event}\` |`));
  expect(row).toContain(fields);
});
