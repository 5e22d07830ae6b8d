import type { StorageCommand } from '../../tracing.js';
import type { Mask } from '../masking.js';
import { KEY_PREFIX } from '../step-store.js';
import { storageStep, type StorageStep } from '../storage-steps.js';
import { chainOf } from './place.js';
import { ignored, quietly, type Pending, type Settled, type StepWriter } from './step-writer.js';

interface Command extends Pending {
  readonly step: StorageStep;
}

/** Records the storage commands of sign-ins and renewals: to be subscribed to `channels.storage`. */
export function recordStorage({ append, inPlace }: StepWriter, { mask }: { mask: Mask }) {
  const open = new WeakMap<StorageCommand, Command>();

  const startCommand = inPlace<StorageCommand>((command, place) => {
    if (command.key.startsWith(KEY_PREFIX)) return;
    const step = storageStep(command, mask);
    if (step === undefined) return;
    if (command.command === 'setIfAbsent' && place.renewal) {
      if (place.renewal.leaseAsked) return; // who waits asks again and again
      place.renewal.leaseAsked = true;
    }
    const { title, topic, line } = step;
    const message = { start: line, headers: [] };
    const chain = chainOf(place);
    const number = append(place, {
      chain,
      kind: 'request',
      from: 'app',
      to: 'redis',
      title,
      topic,
      oauth: true,
      message,
    });
    open.set(command, { step, place, chain, number, startedMs: performance.now() });
  });

  function endCommand(command: StorageCommand & Settled): void {
    const sent = open.get(command);
    if (sent === undefined) return;
    open.delete(command);
    const { step, place, chain, number, startedMs } = sent;
    const { result, error } = command;
    const failed = error !== undefined;
    const title = failed ? 'No response: the storage is away' : step.result(result);
    const durationMs = performance.now() - startedMs;
    const { topic } = step;
    void append(
      place,
      {
        chain,
        kind: 'response',
        from: 'redis',
        to: 'app',
        title,
        topic,
        oauth: true,
        outcome: failed ? 'failed' : 'ok',
        durationMs,
      },
      number,
    );
  }

  return {
    ...ignored,
    start: startCommand,
    asyncEnd: (command: StorageCommand & Settled) => quietly(() => endCommand(command)),
  };
}
