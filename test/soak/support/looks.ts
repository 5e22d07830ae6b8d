import { AxeBuilder } from '@axe-core/playwright';
import type { Page, Route } from 'playwright-core';

export const SIZES = [360, 1440] as const;
export const SCHEMES = ['light', 'dark', 'forced colours'] as const;
const TOO_WIDE = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

/** What is wrong with the page as it stands, in each scheme and size. */
export async function faultsOf(page: Page): Promise<string[]> {
  const found: string[] = [];
  // A page that tries again by itself stays while it is looked at: a 204 leaves the browser where it is.
  const stay = (route: Route): Promise<void> =>
    route.request().isNavigationRequest() ? route.fulfill({ status: 204 }) : route.fallback();
  await page.route('**/*', stay);
  for (const scheme of SCHEMES) {
    const forcedColors = scheme === 'forced colours' ? 'active' : 'none';
    const colorScheme = scheme === 'dark' ? 'dark' : 'light';
    for (const width of SIZES) {
      await page.emulateMedia({ colorScheme, forcedColors, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 800 });
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
      const where = `${scheme} ${width} px`;
      found.push(
        ...violations.map(({ id, nodes }) => `${where}: ${id} at ${String(nodes[0]?.target)}`),
      );
      if ((await page.evaluate(TOO_WIDE)) !== 0) found.push(`${where}: too wide`);
    }
  }
  await page.unroute('**/*', stay);
  return found;
}

/** Complaints of the browser about our policy, and requests to anybody else; a page may lead to the known origins, no more. */
export function watch(page: Page, known: readonly string[]): string[] {
  const found: string[] = [];
  page.on('console', (message) => {
    if (/Content Security Policy|refused to/i.test(message.text())) found.push(message.text());
  });
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    const home = request.isNavigationRequest() ? known : [new URL(request.frame().url()).origin];
    if (!home.includes(origin)) found.push(`request to ${request.url()}`);
  });
  return found;
}
