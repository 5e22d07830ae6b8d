import { signatureOf } from '../../../src/webhooks/signature.js';

/** As GetBill would. */
export async function sendWebhook(
  origin: string,
  { secret, event }: { secret: string; event: object },
): Promise<void> {
  const body = JSON.stringify(event);
  const signature = signatureOf(Buffer.from(body), secret);
  const headers = { 'content-type': 'application/json', 'x-getbill-signature': signature };
  await fetch(`${origin}/webhooks/getbill`, { method: 'POST', headers, body });
}
