import { durationText, rowsOf, type Row } from './rows.js';
import type { Step } from './step.js';
import { titleOf } from './story-title.js';

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

/** By the responses to the browser: a call that failed and was repeated does not count. */
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

/** The first step of a request that failed; else the last. For the link of an error page. */
export function failedStepOf(steps: readonly Step[], requestId: string): Step | undefined {
  const mine = steps.filter((step) => step.requestId === requestId);
  return mine.find(({ outcome }) => outcome === 'failed') ?? mine.at(-1);
}
