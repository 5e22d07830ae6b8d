import { Router } from 'express';
import { z } from 'zod';
import { styles, type WebhookSender } from './sender.js';

const targetBody = z.strictObject({
  url: z.url(),
  secret: z.string().min(1),
  companyId: z.string().min(1),
});
const sendBody = z.strictObject({
  type: z.string().default('debt.updated'),
  data: z.looseObject({}).optional(),
});

/** `/_sandbox/webhooks`: where they go, what was delivered, and sending on demand. */
export function createWebhookRouter({
  sender,
  exampleDebtId,
}: {
  sender: WebhookSender;
  exampleDebtId: () => string;
}): Router {
  const router = Router();
  const state = () => ({ target: sender.target() ?? null, deliveries: sender.deliveries() });
  router.get('/', (_req, res) => void res.json(state()));
  router.put('/', (req, res) => {
    sender.setTarget(targetBody.parse(req.body));
    res.json(state());
  });
  for (const style of styles) {
    router.post(`/${style}`, async (req, res) => {
      const { type, data = { id: exampleDebtId() } } = sendBody.parse(req.body ?? {});
      await sender.send(style, type, data);
      res.json(state());
    });
  }
  return router;
}
