import { createHmac, timingSafeEqual } from 'node:crypto';
import express, { type Express } from 'express';

/** What GetBill's documents show for receiving a webhook, retold in our words. `act` is where it handles the event. */
export function createSampleReceiver(
  secret: string,
  act: (type: string) => Promise<void>,
): Express {
  const app = express();
  app.post('/webhook', express.raw({ type: 'application/json' }), async (req, res) => {
    const expected = createHmac('sha256', secret).update(req.body as Buffer).digest(); // prettier-ignore
    const sent = Buffer.from(req.get('x-getbill-signature') ?? '', 'hex');
    if (!timingSafeEqual(sent, expected)) return void res.status(401).send('Invalid signature');
    const { type } = JSON.parse((req.body as Buffer).toString()) as { type: string };
    await act(type);
    res.status(200).send('OK');
  });
  app.use(((_error, _req, res, _next) => {
    res.status(500).send('Error');
  }) satisfies express.ErrorRequestHandler);
  return app;
}
