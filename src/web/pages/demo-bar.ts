import type { Config } from '../../config/config.js';
import { hasPage } from './pages.js';

/** Links at the top of every page of a demo. */
export interface DemoBar {
  readonly links: readonly { readonly href: string; readonly label: string }[];
}

/** For a demo: to what breaks GetBill, and to what shows what the app makes of it. */
export function demoBar({
  sandboxUrl,
  flowInspector,
  tour,
}: Pick<Config, 'sandboxUrl' | 'flowInspector' | 'tour'>): DemoBar | undefined {
  if (sandboxUrl === undefined) return undefined;
  const links = [
    ...(tour && hasPage('/tour') ? [{ href: '/tour', label: 'Take the tour' }] : []),
    ...(flowInspector && hasPage('/flow') ? [{ href: '/flow', label: 'See the messages' }] : []),
    { href: sandboxUrl.href, label: 'Break GetBill' },
  ];
  return { links };
}
