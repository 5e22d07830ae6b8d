import { signatureOf } from '../../../src/webhooks/signature.js';

/** As GetBill would. Resolves to the status of the response. */
export async function sendWebhook(
  origin: string,
  { secret, event }: { secret: string; event: object },
): Promise<number> {
  const body = JSON.stringify(event);
  const signature = signatureOf(Buffer.from(body), secret);
  const headers = { 'content-type': 'application/json', 'x-getbill-signature': signature };
  const response = await fetch(`${origin}/webhooks/getbill`, { method: 'POST', headers, body });
  return response.status;
}
