import { AsyncLocalStorage } from 'node:async_hooks';
import type { Note } from '../notes.js';
import type { Draft } from '../step.js';
import type { StepStore } from '../step-store.js';
import { afterwardsOf, chainOf, type Place } from './place.js';

/** A request that has no response yet. */
export interface Pending {
  readonly place: Place;
  readonly chain: string;
  readonly number: Promise<number | undefined>;
  readonly startedMs: number;
}

/** How a traced operation ended. */
export interface Settled {
  readonly result?: unknown;
  readonly error?: unknown;
}

export type StepWriter = ReturnType<typeof createStepWriter>;

/** Writes steps into the story that the code belongs to; the place travels along in an AsyncLocalStorage. */
export function createStepWriter({ store }: { store: StepStore }) {
  const places = new AsyncLocalStorage<Place>();

  function append(
    place: Place,
    draft: Partial<Draft> & Pick<Draft, 'kind' | 'from' | 'to' | 'title' | 'topic'>,
    replyTo?: Promise<number | undefined>,
  ): Promise<number | undefined> {
    const { flow, requestId } = place;
    const rest = { outcome: 'neutral' as const, oauth: false, details: [], requestId };
    const chain = draft.chain ?? chainOf(place);
    return store.append(flow, { ...rest, ...draft, chain }, replyTo);
  }

  function note(place: Place, { details = [], ...draft }: Note): void {
    const oauth = !/^(given_up|limit|note|refused|quota)$/.test(draft.topic);
    const chain = draft.topic === 'revocation' ? afterwardsOf(place.story) : chainOf(place);
    void append(place, {
      kind: 'note',
      from: 'app',
      to: 'app',
      oauth,
      ...draft,
      chain,
      details: [...details],
    });
  }

  /** Runs in the story that the code belongs to. Never throws: that would end the process. */
  function inPlace<Message>(record: (message: Message, place: Place) => void) {
    return (message: Message): void => {
      const place = places.getStore();
      if (place !== undefined) quietly(() => record(message, place));
    };
  }

  return { places, append, note, inPlace };
}

const ignore = (): void => undefined;
/** The phases of a traced operation that a recorder has no use for. */
export const ignored = {
  start: ignore,
  end: ignore,
  asyncStart: ignore,
  asyncEnd: ignore,
  error: ignore,
};

export function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // a step is lost, no request
  }
}
