import { pages } from './pages/pages.js';

const DEFAULT = '/dashboard';
const MAX_LENGTH = 1024;

const PATHS = pages.map(({ path }) => path.slice(1).replaceAll(/:\w+/g, String.raw`[\w-]{1,128}`));

// Only our own pages: no spelling of another host, or of /api, /login or /logout, can match.
const OUR_PAGE = new RegExp(String.raw`^/(?:${PATHS.join('|')})(?:\?[\w\-.~!$&'()*+,;=:@/?%]*)?$`);

/** The page to land on after sign-in: `value` when it is one of our pages, else the dashboard. */
export function safeReturnTo(value: unknown): string {
  return typeof value === 'string' && value.length <= MAX_LENGTH && OUR_PAGE.test(value)
    ? value
    : DEFAULT;
}
