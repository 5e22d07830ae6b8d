const DEFAULT = '/dashboard';
const LONGEST = 1024;

// Our own GET pages and nothing else, so that no spelling of another host or of /api, /login, /logout can match.
const PAGES = /^\/(?:dashboard|connection|flow|debts(?:\/[\w-]{1,128})?)?(?:\?[\w\-.~!$&'()*+,;=:@/?%]*)?$/;

/** The page to land on after sign-in: `value` when it is one of our pages, else the dashboard. */
export function safeReturnTo(value: unknown): string {
  return typeof value === 'string' && value.length <= LONGEST && PAGES.test(value) ? value : DEFAULT;
}
