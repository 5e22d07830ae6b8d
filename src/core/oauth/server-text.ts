const MAX_CODE = 64;
const MAX_DESCRIPTION = 200;
const MIN_SECRET = 6;
/** Long enough for a token; an error code of that length is all small letters. */
const MAY_BE_TOKEN = /[\w.~+/=-]{20,}/g;

/**
 * The "error" and "error_description" of a server (GetBill's API and older league servers write
 * "message" instead) in one short line for the log, never for a page: without control characters,
 * the `secrets` of the request, which some servers repeat, and other long text that may be a token.
 * `undefined` when there is none.
 */
export function serverText(
  { error, error_description, message }: Partial<Record<string, unknown>>,
  secrets: readonly string[],
): string | undefined {
  const parts = [
    clean(error, MAX_CODE, secrets),
    clean(error_description ?? (error && message), MAX_DESCRIPTION, secrets),
  ];
  return parts.filter(Boolean).join(': ') || undefined;
}

function clean(text: unknown, maxLength: number, secrets: readonly string[]): string {
  if (typeof text !== 'string') return '';
  let cleaned = text.slice(0, 100 * maxLength); // masking makes it shorter, so mask first
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET) continue;
    for (const spelling of [secret, encodeURIComponent(secret)])
      cleaned = cleaned.replaceAll(spelling, '[secret]');
  }
  cleaned = cleaned.replace(MAY_BE_TOKEN, (run) => (/^[a-z_]+$/.test(run) ? run : '[hidden]'));
  // \p{C}: control and format characters, also of writing direction; lone surrogates; unassigned
  const oneLine = cleaned.replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return oneLine.slice(0, maxLength).replace(/[\ud800-\udbff]$/, '');
}
