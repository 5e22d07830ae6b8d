import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { patchedTree, type PatchedTree } from './support/patched-tree.js';

describe('the card of examples/add-a-card.diff', () => {
  let tree: PatchedTree;
  beforeAll(() => void (tree = patchedTree('examples/add-a-card.diff')));
  afterAll(() => tree.remove());

  it('shows the latest follow-ups on the dashboard', async () => {
    const app = await tree.startTestApp();
    try {
      const browser = app.browser();
      await browser.signIn();
      const { text } = await browser.get('/dashboard');
      expect(text).toMatch(
        /<h2 id="latest">Latest follow-ups<\/h2>\s*<dl class="ruled">\s*<div>\s*<dt>[^<]+<\/dt>/,
      );
      expect(text).toContain('Example Collections LLC');
    } finally {
      await app.close();
    }
  });

  it('says which scope it lacks when follow-ups were left out at consent', async () => {
    const app = await tree.startTestApp({ faults: { consent: 'ask' } });
    try {
      const browser = app.browser();
      await browser.signIn({ scopes: ['debts:read'] });
      const { status, text } = await browser.get('/dashboard');
      expect(status).toBe(200);
      expect(text).toContain('The latest follow-ups would be here.');
    } finally {
      await app.close();
    }
  });

  it('has nothing to show without its line in the allow-list', async () => {
    const file = join(tree.folder, 'src/getbill/endpoints.ts');
    const line = "  { method: 'GET', path: '/followups', scope: 'followups:read' },\n";
    writeFileSync(file, readFileSync(file, 'utf8').replace(line, ''));
    jest.resetModules();
    const app = await tree.startTestApp();
    try {
      const browser = app.browser();
      await browser.signIn();
      expect((await browser.get('/api/followups')).status).toBe(405);
      const { status, text } = await browser.get('/dashboard');
      expect(status).toBe(200);
      expect(text).toContain('The latest follow-ups cannot be shown right now.');
      expect(text).toContain('Example Collections LLC');
      expect((await browser.get('/api/company/profile')).status).toBe(200);
    } finally {
      await app.close();
    }
  });
});
