import { signatureOf } from '../../webhooks/signature.js';
import { fail, pass, type Check, type Result } from './check.js';

export const webhookCheck: Check = {
  name: 'webhooks',
  async examine({ deployment, config }) {
    if (deployment === undefined || config.webhooks.endpoints.length === 0) return undefined;
    for (const endpoint of config.webhooks.endpoints) {
      const path = ['/webhooks/getbill', endpoint.name].filter(Boolean).join('/');
      const secret = endpoint.secrets.reveal()[0] ?? '';
      const headers = { 'x-getbill-signature': signatureOf(Buffer.from(SIGNED_NONSENSE), secret) };
      const visited = deployment.visit(path, { headers, json: SIGNED_NONSENSE });
      const response = await visited.catch(() => undefined);
      if (response === undefined) return undefined; // the line "deployment" says why
      const problem = webhookProblem(response.status, path);
      if (problem !== undefined) return problem;
    }
    return pass('signed bytes arrive as they were sent');
  },
};

/** No event, so nothing is stored; its spaces get lost in a proxy that rewrites bodies. */
const SIGNED_NONSENSE = '{ "type":  null }\n';

function webhookProblem(status: number, path: string): Result | undefined {
  switch (status) {
    case 400:
      return undefined; // verified, and no event
    case 401:
      return fail(
        `${path} does not take our signature: the app has another secret, or the proxy changes body or header`,
        'set the same GETBILL_WEBHOOK_SECRET where the app runs, and let the proxy pass body and X-GetBill-Signature as they are',
      );
    case 404:
      return fail(
        `${path} is not there`,
        'set GETBILL_WEBHOOK_SECRET where the app runs, and let the proxy pass this path',
      );
    default:
      return fail(
        `${path} answered ${status}`,
        'let the proxy pass POST with its body and media type to the app, without a sign-in of its own',
      );
  }
}
