import { patchedTree, type PatchedTree } from './support/patched-tree.js';

const GETBILL_SCOPES = 'company:read creditors:read';

describe('the page of examples/add-a-page.diff', () => {
  let tree: PatchedTree;
  beforeAll(() => void (tree = patchedTree('examples/add-a-page.diff')));
  afterAll(() => tree.remove());

  it('lists the creditors, is in the navigation, and is come back to after signing in', async () => {
    const app = await tree.startTestApp({ env: { GETBILL_SCOPES } });
    try {
      const browser = app.browser();
      expect((await browser.get('/creditors')).location).toBe('/login?returnTo=%2Fcreditors');
      expect((await browser.signIn({ returnTo: '/creditors' })).location).toBe('/creditors');
      const { text } = await browser.get('/creditors');
      expect(text).toMatch(
        /<h1>Creditors<\/h1>[\s\S]*<dt>[^<]+<\/dt>\s*<dd><bdi>[^<]+@[^<]+<\/bdi>/,
      );
      expect((await browser.get('/dashboard')).text).toContain(
        '<a href="/creditors">Creditors</a>',
      );
      const { status, headers } = await browser.send('PUT', '/creditors');
      expect([status, headers['allow']]).toEqual([405, 'GET, HEAD']);
    } finally {
      await app.close();
    }
  });

  it('says which scope it lacks, and has no link where the app never asks for it', async () => {
    const app = await tree.startTestApp({ env: { GETBILL_SCOPES: 'company:read' } });
    try {
      const browser = app.browser();
      await browser.signIn();
      expect((await browser.get('/creditors')).text).toContain('creditors:read');
      expect((await browser.get('/dashboard')).text).not.toContain('href="/creditors"');
    } finally {
      await app.close();
    }
  });
});
