import type { Config } from '../../config/config.js';
import { hasPage } from './pages.js';

/** Links at the top of every page of a demo. */
export interface DemoBar {
  readonly links: readonly { readonly href: string; readonly label: string }[];
}

/** In a demo: links to the tools that break GetBill, and to those that show what happens then. */
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
