import type { Step } from '../../../src/flow-inspector/step.js';

/**
 * What must hold for any steps, whatever happened: one order, every response answers a request that
 * came before it, and whatever a request caused lies between it and its response. The faults, in words.
 */
export function faultsIn(steps: readonly Step[]): string[] {
  const byNumber = new Map(steps.map((step) => [step.number, step]));
  return [
    ...steps.flatMap((step, at) => orderFaults(step, steps[at - 1])),
    ...steps.flatMap((step) => shapeFaults(step)),
    ...steps.flatMap((step) => replyFaults(step, byNumber)),
    ...unanswered(steps),
    ...outsideOfRequest(steps),
  ];
}

function orderFaults({ number }: Step, previous: Step | undefined): string[] {
  return previous !== undefined && previous.number >= number ? [`${number} comes after ${previous.number}`] : []; // prettier-ignore
}

function shapeFaults({ number, kind, from, to, replyTo, chain, process, title }: Step): string[] {
  const faults: string[] = [];
  if ((kind === 'note') !== (from === to))
    faults.push(`${number}: a ${kind} from ${from} to ${to}`);
  if ((kind === 'response') !== (replyTo !== undefined)) faults.push(`${number}: a ${kind} with replyTo ${String(replyTo)}`); // prettier-ignore
  if (chain === '' || process === '' || title === '') faults.push(`${number}: something is empty`);
  return faults;
}

function replyFaults(step: Step, byNumber: ReadonlyMap<number, Step>): string[] {
  if (step.replyTo === undefined) return [];
  const request = byNumber.get(step.replyTo);
  const { number, from, to, chain } = step;
  if (request === undefined) return [`${number} answers ${step.replyTo}, which is not there`];
  const isReply = request.kind === 'request' && request.from === to && request.to === from;
  if (!isReply || request.number >= number || request.chain !== chain) return [`${number} is no response to ${request.number}`]; // prettier-ignore
  return [];
}

/** Only what the browser took to GetBill may stay open: a person may not come back. */
function unanswered(steps: readonly Step[]): string[] {
  const answered = steps.map(({ replyTo }) => replyTo).filter((number) => number !== undefined);
  const twice = answered.filter((number, at) => answered.indexOf(number) !== at);
  const open = steps.filter(({ kind, from, number }) => kind === 'request' && from === 'app' && !answered.includes(number)); // prettier-ignore
  return [
    ...twice.map((number) => `${number} is answered twice`),
    ...open.map(({ number, title }) => `${number} (${title}) has no response`),
  ];
}

/** In a story that a browser began, the app does nothing outside of the browser's requests to it. */
function outsideOfRequest(steps: readonly Step[]): string[] {
  const faults: string[] = [];
  const open = new Map<string, Set<number>>();
  const begun = new Set<string>();
  const left = new Set<string>();
  for (const { number, chain, kind, from, to, replyTo, title } of steps) {
    const requests = open.get(chain) ?? new Set<number>();
    open.set(chain, requests);
    const isBrowserStep = from === 'browser' || to === 'browser';
    if (kind === 'request' && from === 'browser' && to === 'app') {
      requests.add(number);
      begun.add(chain);
    }
    if (!isBrowserStep && begun.has(chain) && requests.size === 0 && !left.has(chain)) {
      faults.push(`${number} (${title}) lies outside of every request of its story`);
    }
    if (kind === 'response' && to === 'browser' && from === 'app') {
      requests.delete(replyTo ?? 0);
      if (title.includes('browser left')) left.add(chain);
    }
  }
  return faults;
}
