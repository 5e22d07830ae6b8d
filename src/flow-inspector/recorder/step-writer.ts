import { AsyncLocalStorage } from 'node:async_hooks';
import type { Note } from '../notes.js';
import type { Draft } from '../step.js';
import type { StepStore } from '../step-store.js';
import { chainOf, type Context } from './context.js';

type RequestDraft = Pick<Draft, 'from' | 'to' | 'title' | 'topic' | 'message'> &
  Partial<Pick<Draft, 'oauth' | 'chain'>>;
type ResponseDraft = Pick<Draft, 'title' | 'topic' | 'outcome' | 'message'>;

/** Records the response to a request that was recorded. */
export type RecordResponse = (response: ResponseDraft) => void;

/** How a traced operation ended. */
export interface Settled {
  readonly result?: unknown;
  readonly error?: unknown;
}

export type StepWriter = ReturnType<typeof createStepWriter>;

/** Writes steps into the story that the code belongs to. */
export function createStepWriter({ store }: { store: StepStore }) {
  const contexts = new AsyncLocalStorage<Context>();

  function append(
    context: Context,
    draft: Partial<Draft> & Pick<Draft, 'kind' | 'from' | 'to' | 'title' | 'topic'>,
    replyTo?: Promise<number | undefined>,
  ): Promise<number | undefined> {
    const { flow, requestId } = context;
    const rest = { outcome: 'neutral' as const, oauth: false, details: [], requestId };
    const chain = draft.chain ?? chainOf(context);
    return store.append(flow, { ...rest, ...draft, chain }, replyTo);
  }

  /** The response belongs to the story of its request, however late it comes. */
  function appendRequest(
    context: Context,
    { chain = chainOf(context), ...draft }: RequestDraft,
  ): RecordResponse {
    const startedMs = performance.now();
    const number = append(context, { kind: 'request', ...draft, chain });
    const { from: to, to: from, oauth = false } = draft;
    return (response) => {
      const durationMs = performance.now() - startedMs;
      void append(
        context,
        { kind: 'response', from, to, oauth, chain, durationMs, ...response },
        number,
      );
    };
  }

  function note(
    context: Context,
    { details = [], ...draft }: Note,
    chain = draft.topic === 'revocation' ? context.story.chainAfterwards : chainOf(context),
  ): void {
    const oauth = !/^(given_up|limit|note|refused|quota)$/.test(draft.topic);
    const at = { kind: 'note', from: 'app', to: 'app' } as const;
    void append(context, { ...at, oauth, ...draft, chain, details: [...details] });
  }

  /** Runs in the story that the code belongs to. Never throws: that would end the process. */
  function inContext<Message>(record: (message: Message, context: Context) => void) {
    return (message: Message): void => {
      const context = contexts.getStore();
      if (context !== undefined) quietly(() => record(message, context));
    };
  }

  return { contexts, append, appendRequest, note, inContext };
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
