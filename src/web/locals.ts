import type { TokenSet } from '../core/oauth/token-set.js';
import type { Formats } from './pages/formats.js';

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- the way Express wants it
  namespace Express {
    interface Locals {
      requestId: string;
      /** The pattern that matched, where Express does not know it. */
      route: string | undefined;
      /** How this reader writes numbers and dates, by `Accept-Language`. */
      formats: Formats;
      /** Partials that the layout puts above the page. */
      above: readonly string[] | undefined;
      /** The page that is shown around an error, instead of an error page (`throwWithinPage`). */
      pageAroundError: ({ page: string; title: string } & Record<string, unknown>) | undefined;
      /** Set by the signed-in middleware: the key of this session's tokens. */
      grantId: string;
      /** Set by the token-refresh middleware. */
      tokenSet: TokenSet;
    }
  }
}
