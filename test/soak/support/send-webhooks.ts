import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const script = join(process.cwd(), 'test/soak/support/webhook-sender.mjs');

/**
 * Sends `count` signed webhooks, and resolves when all are answered: from a process of its own, with the lowest priority,
 * because GetBill has machines of its own.
 */
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
  const options = [
    '-n',
    '19',
    process.execPath,
    script,
    origins,
    secret,
    String(count),
    String(perSecond),
    prefix,
  ];
  const { stdout } = await promisify(execFile)('nice', options);
  return JSON.parse(stdout) as { statuses: Record<string, number>; seconds: number };
}
