import { hashOfMask, MASKED } from './masking.js';
import type { Actor, Step } from './step.js';

/** A step as the page shows it. */
export interface Row {
  readonly step: Step;
  /** Lifelines at work during this row; `on-app2` while the app renews within another request. */
  readonly active: readonly string[];
  readonly hop: string;
  readonly duration: string;
  /**
   * What tells calls side by side apart: the query of a call to the API, and of a response that
   * comes after other messages between the two, the number of its request.
   */
  readonly aside: string;
  /** The hashes of its masked secrets, so that the page can mark those that are equal. */
  readonly secrets: string;
}

const NAMES: Readonly<Record<Actor, string>> = {
  browser: 'Browser',
  app: 'App',
  getbill: 'GetBill',
  redis: 'Storage',
};

export const actorNames: readonly string[] = Object.values(NAMES);

/** An actor works from a request to it until the response, a renewal until the note of its end. */
export function rowsOf(steps: readonly Step[]): Row[] {
  const open = new Map<number, Actor>();
  const lastBetween = new Map<string, number>();
  let renewing = false;
  return steps.map((step) => {
    const pair = [step.from, step.to].sort().join(' ');
    const isInTurn = step.replyTo === undefined || lastBetween.get(pair) === step.replyTo;
    lastBetween.set(pair, step.number);
    if (step.kind === 'request') open.set(step.number, step.to);
    if (step.topic === 'renewal') renewing = true;
    const active = new Set<string>(open.values());
    if (renewing && active.has('app')) active.add('app2');
    if (step.replyTo !== undefined) open.delete(step.replyTo);
    if (step.kind === 'note' && /^(rotation|pause|not_asked|ended|wait|reuse)$/.test(step.topic))
      renewing = false;
    return {
      step,
      active: [...active].filter((name) => name !== 'browser').map((name) => `on-${name}`),
      hop: step.kind === 'note' ? 'App' : `${NAMES[step.from]} → ${NAMES[step.to]}`,
      duration: step.durationMs === undefined ? '' : durationText(step.durationMs),
      aside: isInTurn ? queryIn(step) : `reply to ${step.replyTo}`,
      secrets: secretsIn(step),
    };
  });
}

function queryIn({ topic, message }: Step): string {
  if (topic !== 'api') return '';
  const query = /\?(\S*)/.exec(message?.start ?? '')?.[1] ?? '';
  return query.length > 40 ? `${query.slice(0, 39)}…` : query;
}

function secretsIn({ message }: Step): string {
  if (message === undefined) return '';
  const masks = JSON.stringify(message).match(MASKED) ?? [];
  return [...new Set(masks.map(hashOfMask))].join(' ');
}

/** The unit fits the rounded number: 999.6 ms is "1.0 s", and 9,960 ms is "10 s". */
export function durationText(ms: number): string {
  if (ms >= 9_950) return `${Math.round(ms / 1000)} s`;
  return ms >= 999.5 ? `${(ms / 1000).toFixed(1)} s` : `${Math.max(1, Math.round(ms))} ms`;
}
