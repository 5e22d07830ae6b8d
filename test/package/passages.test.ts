import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { passageFaults } from '../../scripts/support/passages.js';

const source = 'function f() {\n  const a = 1;\n  return a;\n}\n';

function faultsOf(page: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'gb-passages-'));
  try {
    writeFileSync(join(folder, 'f.ts'), source);
    writeFileSync(join(folder, 'page.md'), page);
    return passageFaults(join(folder, 'page.md'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
const page = (code: string, link = '[`f.ts`](f.ts)'): string =>
  `See ${link}:\n\n\`\`\`ts\n${code}\n\`\`\`\n`;

describe('a passage of code in a document', () => {
  it('is in order while the linked file has it, indented or not', () => {
    expect(faultsOf(page('const a = 1;\nreturn a;'))).toEqual([]);
  });

  it.each([
    ['a changed line', page('const a = 2;\nreturn a;'), /not in .*f\.ts any more/],
    ['a line that is left out', page('function f() {\n  return a;'), /not in .*f\.ts any more/],
    ['half a line', page('const a'), /not in .*f\.ts any more/],
    ['a file that is gone', page('const a = 1;', '[`g.ts`](g.ts)'), /not in .*g\.ts any more/],
    ['no link before it', page('const a = 1;', 'nothing'), /no link/],
  ])('is a fault with %s', (_name, text, fault) => {
    expect(faultsOf(text)).toEqual([expect.stringMatching(fault)]);
  });
});
