import { tracingChannel, type TracingChannel } from 'node:diagnostics_channel';
import type { RenewalTrigger } from './events.js';

/** For readers in this process that need more than events say, as an APM agent. Without one there is no work. */
export const renewalChannel = tracingChannel<unknown, RenewalRun>('getbill-connect:renewal');

export interface RenewalRun {
  readonly grantId: string;
  readonly trigger: RenewalTrigger;
}

/** Runs `work` with its start, end, result and error published on the channel. */
export function traced<Message extends object, Result>(
  channel: TracingChannel<unknown, Message>,
  message: Message,
  work: () => Promise<Result>,
): Promise<Result> {
  return channel.hasSubscribers ? channel.tracePromise(work, message) : work();
}
