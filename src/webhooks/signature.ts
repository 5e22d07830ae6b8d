import { createHmac, timingSafeEqual } from 'node:crypto';

export type SignatureFault = 'absent' | 'malformed' | 'different';

/**
 * The fault of `X-GetBill-Signature`, which is the HMAC-SHA256 of the raw body as 64 lower-case hex
 * digits. `undefined` when it fits one of `secrets` (several while one is being rotated). A header
 * that comes twice is malformed, since Node joins it. Compares in constant time and never throws.
 */
export function signatureFault(
  rawBody: Buffer,
  signature: string | undefined,
  secrets: readonly string[],
): SignatureFault | undefined {
  if (signature === undefined) return 'absent';
  if (!/^[0-9a-f]{64}$/.test(signature)) return 'malformed';
  const given = Buffer.from(signature, 'hex');
  // all, so that time tells nothing
  const fits = secrets.map((secret) => timingSafeEqual(given, hmac(rawBody, secret)));
  return fits.includes(true) ? undefined : 'different';
}

/** The header GetBill would send. */
export function signatureOf(rawBody: Buffer, secret: string): string {
  return hmac(rawBody, secret).toString('hex');
}

function hmac(rawBody: Buffer, secret: string): Buffer {
  return createHmac('sha256', secret).update(rawBody).digest();
}
