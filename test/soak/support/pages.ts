import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expectOrder } from '../../flow/support/order.js';
import { launchChromium } from '../../support/chromium.js';
import { startTestApp, type TestApp, type TestAppOptions } from '../../support/test-app.js';

/** The app with its inspector on, and a real browser. */
export interface Pages {
  app: TestApp;
  open(options?: BrowserContextOptions): Promise<Page>;
  /** A browser that signed in: the address of each kind of page. */
  signIn(page: Page): Promise<string[]>;
  close(): Promise<void>;
}

export async function startPages({ env = {}, ...options }: TestAppOptions = {}): Promise<Pages> {
  const chromium: Browser = await launchChromium();
  const app = await startTestApp({ env: { FLOW_INSPECTOR: 'true', ...env }, ...options });
  return {
    app,
    open: async (settings) =>
      (await chromium.newContext({ baseURL: app.publicUrl, ...settings })).newPage(),
    async signIn(page) {
      await page.goto('/login');
      await page.waitForURL('/dashboard');
      const answer = await page.request.get('/api/debts?limit=1');
      const { data } = (await answer.json()) as { data: { id: string }[] };
      return [
        '/',
        '/dashboard',
        '/debts',
        `/debts/${data[0]?.id ?? ''}`,
        '/connection',
        '/flow',
        '/no-such-page',
      ];
    },
    async close() {
      await expectOrder(chromium.contexts(), app);
      await chromium.close();
      await app.close();
    },
  };
}
