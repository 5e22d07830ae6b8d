/** A secret as it is shown: equal secrets look equal. */
export type Mask = (secret: string) => string;

const MASK = '••••';
/** In any text that is shown. */
export const MASKED = /••••[\w-]{8}/g;
export const hashOfMask = (masked: string): string => masked.slice(MASK.length);

export const createMask =
  (fingerprint: (text: string) => string): Mask =>
  (secret) =>
    secret === '' ? '' : MASK + fingerprint(secret);

/** Parameters of OAuth that are no secret and come from our own settings. */
const SHOWN_PARAMETERS = new Set([
  'response_type',
  'client_id',
  'redirect_uri',
  'scope',
  'code_challenge_method',
  'grant_type',
  'token_type_hint',
  'prompt',
]);
/** Anybody may have written these: shown without whatever looks like a token. */
const CLEANED_PARAMETERS = new Set([
  'error',
  'error_description',
  'error_uri',
  'iss',
  'returnTo',
  'redirected',
  'again',
  'page',
  'limit',
  'status',
  'after',
  'show',
  'step',
  'chain',
  'request',
]);
const SHOWN_MEMBERS = new Set([
  'token_type',
  'expires_in',
  'scope',
  'error',
  'error_description',
  'error_uri',
]);

const MAX_TEXT = 300;
const MAX_LINES = 40;
const TOKEN_LIKE = /[A-Za-z0-9_\-+=.~]{20,}/g;
const WORDS = /^[a-z]+(?:[_\-.][a-z]+)*[_\-.]?$/;
/** Paths whose last part is an id of GetBill's, which is no secret. */
const IDS = /\/(?:debts|debtors|creditors|followups|reports)(?:\/[a-z-]{1,20})?\/[\w-]{1,128}$/;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Somebody else's text: bounded, on one line, without what looks like a token. */
export function cleaned(text: string, mask: Mask): string {
  return text
    .slice(0, 4 * MAX_TEXT)
    .replace(TOKEN_LIKE, (run) => (WORDS.test(run) || UUID.test(run) ? run : mask(run)))
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .slice(0, MAX_TEXT);
}

/** Of a form or a query: names and values, unknown values masked. */
export function maskedParameters(parameters: URLSearchParams, mask: Mask): [string, string][] {
  return [...parameters].slice(0, MAX_LINES).map(([name, value]) => {
    if (SHOWN_PARAMETERS.has(name)) return [name, value.slice(0, MAX_TEXT)];
    if (CLEANED_PARAMETERS.has(name)) return [name, cleaned(value, mask)];
    return [cleaned(name, mask), mask(value)];
  });
}

/** Path and query; with `origin`, the whole address. */
export function maskedUrl(url: URL, mask: Mask, { origin = true } = {}): string {
  const query = maskedParameters(url.searchParams, mask)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const path = IDS.test(url.pathname) ? url.pathname : cleaned(url.pathname, mask);
  return `${origin ? url.origin : ''}${path}${query === '' ? '' : `?${query}`}`;
}

/** The body of a token endpoint's response: what is not known to be harmless is masked. */
export function maskedJson(json: object, mask: Mask): string {
  const shown = Object.entries(json)
    .slice(0, MAX_LINES)
    .map(([name, value]: [string, unknown]) => {
      const isShown = SHOWN_MEMBERS.has(name);
      return [cleaned(name, mask), isShown ? cleanedValue(value, mask) : maskedValue(value, mask)];
    });
  return JSON.stringify(Object.fromEntries(shown), null, 2);
}

const isFlag = (value: unknown): boolean => typeof value === 'boolean' || value === null;

const cleanedValue = (value: unknown, mask: Mask): unknown =>
  isFlag(value) || typeof value === 'number' ? value : cleaned(String(value), mask);

function maskedValue(value: unknown, mask: Mask): unknown {
  if (isFlag(value)) return value;
  if (typeof value === 'string') return mask(value);
  return `(${Array.isArray(value) ? 'list' : typeof value})`;
}

/** Takes every secret of an exchange out of a text: a server may repeat what it was sent. */
export function scrubbed(text: string, secrets: readonly string[], mask: Mask): string {
  return secrets
    .filter((secret) => secret.length >= 6)
    .reduce(
      (scrubbing, secret) =>
        scrubbing
          .replaceAll(secret, mask(secret))
          .replaceAll(encodeURIComponent(secret), mask(secret)),
      text,
    );
}
