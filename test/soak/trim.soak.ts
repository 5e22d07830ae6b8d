import { execFile, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { rooms } from '../../scripts/support/rooms.js';
import { copyTree, type CopiedTree } from './support/copied-tree.js';

jest.setTimeout(600_000);

const LEFT_OUT = ['.git', 'dist', 'coverage', 'node_modules'];
const ALL_ON = {
  FLOW_INSPECTOR: 'true',
  GETBILL_WEBHOOK_SECRET: 'aJ3kd92mfQpz81LwVt6rYx05bNcHgSeU',
  GETBILL_WEBHOOK_COMPANY: 'hTBN7n6lkmkhMb6LYqEBZw',
};

const names = Object.keys(rooms);
const trims = [...names.map((name) => [name]), names];

describe.each(trims.map((gone) => [gone.join(' '), gone] as const))(
  'without %s',
  (_title, gone) => {
    let tree: CopiedTree;
    const run = (command: string, args: readonly string[]): Promise<[number | null, string]> =>
      new Promise((resolve) => {
        const child = execFile(command, args, { cwd: tree.folder }, (_error, stdout, stderr) =>
          resolve([child.exitCode, stdout + stderr]),
        );
      });
    const tool = (name: string, ...args: string[]) =>
      run(join(tree.folder, 'node_modules/.bin', name), args);

    beforeAll(async () => {
      tree = copyTree(readdirSync('.').filter((name) => !LEFT_OUT.includes(name)));
      const [status] = await run(process.execPath, ['--import', 'tsx', 'scripts/trim.ts', ...gone]);
      expect(status).toBe(0);
    });
    afterAll(() => tree.remove());

    it('types, lint, layers and documents are whole, and nothing is left that only the room used', async () => {
      const [, removed] = await tool('knip', '--fix', '--allow-remove-files');
      const isRemoved = (line: string) => /\(removed\)$|^Unused (files|exports) \(/.test(line);
      expect(removed.split('\n').filter((line) => line !== '' && !isRemoved(line))).toEqual([]);
      const [lint, layers, docs] = await Promise.all([
        tool('oxlint'),
        tool('depcruise', '--config', '.dependency-cruiser.cjs', 'src'),
        run(process.execPath, ['--import', 'tsx', 'scripts/check-docs.ts']),
      ]);
      expect(lint).toEqual([0, expect.stringContaining('Found 0 warnings and 0 errors.')]);
      expect(docs).toEqual([0, '']);
      expect(layers).toEqual([0, expect.stringContaining('no dependency violations found')]);
    });

    it('people sign in, see their pages and nothing that is gone, and sign out', async () => {
      const app = await tree.startTestApp({ env: ALL_ON });
      try {
        const browser = app.browser();
        await browser.signIn();
        const { status, text } = await browser.get('/dashboard');
        expect([status, text]).toEqual([200, expect.stringContaining('LLC')]);
        for (const path of gone.flatMap((name) => rooms[name]?.paths ?? [])) {
          expect(text).not.toContain(`href="${path}"`);
          expect((await browser.get(path)).status).toBe(404);
        }
        for (const path of ['/debts', '/connection', '/errors'])
          expect((await browser.get(path)).status).toBe(200);
        expect((await browser.signOut()).location).toBe('/');
      } finally {
        await app.close();
      }
    });
  },
);

it('a room that does not exist is named', () => {
  const args = ['--import', 'tsx', 'scripts/trim.ts', 'cellar'];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([2, expect.stringContaining('there is no room cellar')]);
});
