import { createCipher } from '../../core/storage/cipher.js';
import { explainRedis } from '../../redis/explain.js';
import { signatureOf } from '../../webhooks/signature.js';
import { tryInbox } from '../../webhooks/try-inbox.js';
import { fail, pass, type Check, type CheckContext, type Result } from './check.js';

export const webhookInboxCheck: Check = {
  name: 'webhook inbox',
  needs: 'Redis commands',
  examine: examineInbox,
};

export const webhookDeliveryCheck: Check = { name: 'webhooks', examine: examineDelivery };

async function examineInbox({ redis, config, now }: CheckContext): Promise<Result | undefined> {
  const { endpoints, replicas } = config.webhooks;
  if (redis === undefined || config.redis === undefined || endpoints.length === 0) return undefined;
  const cipher = createCipher(config.tokenEncryptionKeys.reveal());
  try {
    await tryInbox(redis, { cipher, replicas, now });
    return pass('an event can be stored, handled and listed');
  } catch (error) {
    const { cause, fix, code } = explainRedis(error, config.redis);
    if (code !== undefined) return fail(`${cause} (${code})`, fix);
    return replicas > 0 ? tooFewReplicas(replicas) : fail(cause, fix);
  }
}

const tooFewReplicas = (replicas: number): Result =>
  fail(
    `${replicas === 1 ? 'no replica of Redis takes' : `fewer than ${replicas} replicas of Redis take`} an event in time: the app answers GetBill 503`,
    'let as many replicas follow the master as GETBILL_WEBHOOK_REPLICAS says, or lower it',
  );

async function examineDelivery({ deployment, config }: CheckContext): Promise<Result | undefined> {
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
}

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
