import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const script = join(process.cwd(), 'test/soak/support/webhook-sender.mjs');

/** Sends `count` signed webhooks from a process of its own, and resolves when all are answered. */
export async function sendWebhooks({
  to,
  secret,
  count,
  perSecond,
  prefix,
}: {
  to: readonly { origin: string }[];
  secret: string;
  count: number;
  perSecond: number;
  /** Of the ids in the events. */
  prefix: string;
}): Promise<{ statuses: Record<string, number>; seconds: number }> {
  const origins = to.map(({ origin }) => origin).join(',');
  const options = [script, origins, secret, String(count), String(perSecond), prefix];
  const { stdout } = await promisify(execFile)(process.execPath, options);
  return JSON.parse(stdout) as { statuses: Record<string, number>; seconds: number };
}
