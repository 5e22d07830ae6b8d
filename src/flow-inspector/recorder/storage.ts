import type { StorageCommand } from '../../tracing.js';
import type { Mask } from '../masking.js';
import { KEY_PREFIX } from '../step-store.js';
import { storageStep, type StorageStep } from '../storage-steps.js';
import {
  ignored,
  quietly,
  type RecordResponse,
  type Settled,
  type StepWriter,
} from './step-writer.js';

/**
 * Records the storage commands of sign-ins and renewals: to be subscribed to `channels.storage`.
 */
export function recordStorage({ appendRequest, inContext }: StepWriter, { mask }: { mask: Mask }) {
  const open = new WeakMap<StorageCommand, { step: StorageStep; respond: RecordResponse }>();

  const startCommand = inContext<StorageCommand>((command, context) => {
    if (command.key.startsWith(KEY_PREFIX)) return;
    const step = storageStep(command, mask);
    if (step === undefined) return;
    const { renewal } = context;
    if (command.command === 'setIfAbsent' && renewal) {
      if (renewal.hasAskedForLease) return; // who waits asks again and again
      renewal.hasAskedForLease = true;
    }
    const { title, topic, line } = step;
    const message = { start: line, headers: [] };
    const request = { from: 'app', to: 'redis', title, topic, oauth: true, message } as const;
    open.set(command, { step, respond: appendRequest(context, request) });
  });

  function endCommand(command: StorageCommand & Settled): void {
    const sent = open.get(command);
    if (sent === undefined) return;
    open.delete(command);
    const { topic, result } = sent.step;
    if (command.error === undefined)
      sent.respond({ title: result(command.result), topic, outcome: 'ok' });
    else sent.respond({ title: 'No response: the storage is away', topic, outcome: 'failed' });
  }

  return {
    ...ignored,
    start: startCommand,
    asyncEnd: (command: StorageCommand & Settled) => quietly(() => endCommand(command)),
  };
}
