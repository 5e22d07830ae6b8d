import type { Config } from '../../config/config.js';

/** A page that a person can go to, and come back to after signing in. */
export interface Page {
  /** As Express matches it. */
  readonly path: string;
  /** Its link at the top of every page; without one there is no link. */
  readonly label?: string;
  /** Without this scope it has nothing to show: no link unless GETBILL_SCOPES asks for it. */
  readonly scope?: string;
  /** `true` for a page that needs no sign-in. */
  readonly isPublic?: true;
  /** The page is there while this setting is on. */
  readonly setting?: 'flowInspector' | 'tour' | 'webhooks';
}

/**
 * The one table of pages: navigation, `returnTo` and the tests of every page read it. `app.ts` has
 * a line of the same path with its guards and its handler.
 */
export const pages: readonly Page[] = [
  { path: '/', isPublic: true },
  { path: '/dashboard', label: 'Dashboard' },
  { path: '/debts', label: 'Debts', scope: 'debts:read' },
  { path: '/debts/:id', scope: 'debts:read' },
  { path: '/connection', label: 'Connection' },
  { path: '/events', label: 'Events', setting: 'webhooks' },
  { path: '/explorer', label: 'Explorer' },
  { path: '/explorer/:operation' },
  { path: '/flow', label: 'Flow', isPublic: true, setting: 'flowInspector' },
  { path: '/tour', label: 'Tour', isPublic: true, setting: 'tour' },
];

/** `false` for a page of an optional room that was removed, whatever its setting says. */
export const hasPage = (path: string): boolean => pages.some((page) => page.path === path);

export interface NavigationLink {
  readonly href: string;
  readonly label: string;
  readonly isPublic: boolean;
}

/** The links at the top of every page, in the order of the table. */
export function navigationOf({
  getbill,
  flowInspector,
  tour,
  webhooks,
}: Pick<Config, 'flowInspector' | 'tour'> & {
  webhooks: Pick<Config['webhooks'], 'endpoints'>;
  getbill: Pick<Config['getbill'], 'scopes'>;
}): NavigationLink[] {
  const settings = { flowInspector, tour, webhooks: webhooks.endpoints.length > 0 };
  return pages.flatMap(({ path, label, scope, isPublic = false, setting }) => {
    const isThere = setting === undefined || settings[setting];
    const isOfUse = scope === undefined || getbill.scopes.includes(scope);
    return label !== undefined && isThere && isOfUse ? [{ href: path, label, isPublic }] : [];
  });
}
