import type { Actor, Step } from './step.js';

/** One card: a sign-in from `/login` to the dashboard, one page load with its renewal. */
export interface Story {
  readonly chain: string;
  readonly title: string;
  /** "11 messages, 63 ms". */
  readonly extent: string;
  readonly at: string;
  readonly failed: boolean;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly step: Step;
  /** Lifelines that are at work while this row passes. */
  readonly active: readonly string[];
  readonly hop: string;
  readonly duration: string;
  /** Of a call to the API, which tells calls of one path apart. */
  readonly query: string;
  readonly secrets: string;
}

const NAMES: Readonly<Record<Actor, string>> = {
  browser: 'Browser',
  app: 'App',
  getbill: 'GetBill',
  redis: 'Storage',
};

export const actorNames: readonly string[] = Object.values(NAMES);

/** In the order in which they began, the newest first. */
export function storiesOf(steps: readonly Step[], { oauthOnly = false } = {}): Story[] {
  const chains = new Map<string, Step[]>();
  for (const step of steps) {
    if (oauthOnly && !step.oauth) continue;
    const chain = chains.get(step.chain) ?? [];
    chains.set(step.chain, [...chain, step]);
  }
  return [...chains.values()].map(storyOf).reverse();
}

function storyOf(steps: readonly Step[]): Story {
  const messages = steps.filter(({ kind }) => kind !== 'note').length;
  const count = messages === 1 ? '1 message' : `${messages} messages`;
  return {
    chain: steps[0]?.chain ?? '',
    title: titleOf(steps),
    extent: `${count}, ${durationText(busyMs(steps))}`,
    at: new Date(steps[0]?.atMs ?? 0).toISOString(),
    failed: hasFailed(steps),
    rows: rowsOf(steps),
  };
}

/** A story has failed when a response to the browser has: a call that failed and was repeated does not count. */
function hasFailed(steps: readonly Step[]): boolean {
  const toBrowser = steps.filter(({ kind, to }) => kind === 'response' && to === 'browser');
  return (toBrowser.length === 0 ? steps : toBrowser).some(({ outcome }) => outcome === 'failed');
}

/** How long the app worked on it: not the time that a person takes at GetBill. */
function busyMs(steps: readonly Step[]): number {
  const responses = steps.filter(
    ({ kind, from, to }) => kind === 'response' && from === 'app' && to === 'browser',
  );
  if (responses.length > 0)
    return responses.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0);
  return (steps.at(-1)?.atMs ?? 0) - (steps[0]?.atMs ?? 0);
}

const PAGES: readonly (readonly [RegExp, string])[] = [
  [/^POST \/logout$/, 'Sign-out'],
  [/^GET \/dashboard$/, 'Dashboard'],
  [/^GET \/debts$/, 'Debts'],
  [/^GET \/debts\//, 'One debt'],
  [/^GET \/connection$/, 'Connection'],
  [/^GET \/session$/, 'Session'],
  [/^GET \/$/, 'Start page'],
  [/^GET \/oauth\/callback$/, 'A callback by itself'],
];

function titleOf(steps: readonly Step[]): string {
  const has = (test: (step: Step) => boolean): boolean => steps.some(test);
  const renewed = has(({ topic }) => topic === 'renewal');
  const first = steps.find(({ kind, from }) => kind === 'request' && from === 'browser');
  if (first === undefined) {
    if (has(({ topic }) => topic === 'revocation')) return 'Revocation, in the background';
    return renewed ? 'Renewal, in the background' : 'In the background';
  }
  if (has(({ topic }) => topic === 'authorize')) {
    if (has(({ title }) => title === 'Signed in')) return 'Sign-in';
    const hasEnded = has(({ topic, kind }) => topic === 'sign_in_end' && kind === 'note');
    return hasEnded ? 'Sign-in that ended without a session' : 'Sign-in, under way';
  }
  const page = PAGES.find(([pattern]) => pattern.test(first.title))?.[1] ?? first.title;
  return renewed ? `${page}, with a renewal` : page;
}

function rowsOf(steps: readonly Step[]): Row[] {
  const open = new Map<number, Actor>();
  let renewing = false;
  return steps.map((step) => {
    if (step.kind === 'request') open.set(step.number, step.to);
    if (step.topic === 'renewal') renewing = true;
    const active = new Set<string>(open.values());
    if (renewing && active.has('app')) active.add('app2');
    if (step.replyTo !== undefined) open.delete(step.replyTo);
    if (step.kind === 'note' && /^(rotation|pause|ended|wait|reuse)$/.test(step.topic))
      renewing = false;
    return {
      step,
      active: [...active].filter((name) => name !== 'browser').map((name) => `on-${name}`),
      hop: step.kind === 'note' ? 'App' : `${NAMES[step.from]} → ${NAMES[step.to]}`,
      duration: step.durationMs === undefined ? '' : durationText(step.durationMs),
      query: step.topic === 'api' ? queryIn(step) : '',
      secrets: secretsIn(step),
    };
  });
}

function queryIn({ message }: Step): string {
  const query = /\?(\S*)/.exec(message?.start ?? '')?.[1] ?? '';
  return query.length > 40 ? `${query.slice(0, 39)}…` : query;
}

/** The masked secrets of a step, so that the page can mark those that are equal. */
function secretsIn({ message }: Step): string {
  if (message === undefined) return '';
  const text = JSON.stringify(message);
  return [...new Set(Array.from(text.matchAll(/••••([\w-]{8})/g), ([, hash = '']) => hash))].join(
    ' ',
  );
}

function durationText(ms: number): string {
  if (ms >= 10_000) return `${Math.round(ms / 1000)} s`;
  return ms >= 1_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.max(1, Math.round(ms))} ms`;
}

/** The first step of a request that failed; else the last. For the link of an error page. */
export function failedStepOf(steps: readonly Step[], requestId: string): Step | undefined {
  const mine = steps.filter((step) => step.requestId === requestId);
  return mine.find(({ outcome }) => outcome === 'failed') ?? mine.at(-1);
}
