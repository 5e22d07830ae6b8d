import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Request, RequestHandler, Response } from 'express';
import { openEventStream } from '../web/event-stream.js';
import { renderPartial } from '../web/render-partial.js';
import type { BrowserMark } from '../web/session/browser-mark.js';
import type { Step } from './step.js';
import type { StepStore } from './step-store.js';
import type { Row } from './rows.js';
import { storiesOf, type Story } from './stories.js';
import { flowQueryOf, linkTo, numberOf, type FlowQuery } from './flow-query.js';

const MAX_STREAMS = 200;
const MAX_STREAMS_PER_BROWSER = 4;
const STREAM_MS = 600_000;
const LOOK_EVERY_MS = 400;

/** The page's steps as they happen, by Server-Sent Events, as pieces of HTML. */
export function streamSteps({
  store,
  mark,
  helpers,
}: {
  store: StepStore;
  mark: BrowserMark;
  /** For the views. */
  helpers: object;
}): RequestHandler {
  const streams = new Map<string, number>();

  async function streamTo(req: Request, res: Response, flow: string): Promise<void> {
    const query = flowQueryOf(req);
    const stream = openEventStream(res, { maxMs: STREAM_MS });
    const past = await store.read(flow, { after: 0 });
    // a new stream of the same page goes on where the last one ended
    const resumed = numberOf(req.get('last-event-id')) ?? numberOf(req.query['last']);
    const known = resumed ?? beginningOf(past, query);
    const lastOfPast = resumed ?? past.at(-1)?.number ?? 0; // a sign-out of the past ends nothing
    const pieceOf = createPieces(req, { query, known: past.filter((one) => one.number <= known) });
    for await (const step of stepsAfter(known, flow, stream.ended)) {
      const data = await pieceOf(step);
      if (data !== undefined && !stream.send({ name: 'step', id: step.number, data }))
        await once(res, 'drain', { signal: stream.ended }).catch(() => undefined);
      if (isSignOut(step) && step.number > lastOfPast) {
        stream.send({ name: 'end', data: {} }); // signed out: nobody comes back
        return stream.end();
      }
    }
  }

  /** The steps of a flow as they are kept, until `ended`. */
  async function* stepsAfter(known: number, flow: string, ended: AbortSignal) {
    for (let after = known; !ended.aborted;) {
      const fresh = (await store.last(flow)) > after ? await store.read(flow, { after }) : [];
      yield* fresh;
      after = fresh.at(-1)?.number ?? after;
      await delay(LOOK_EVERY_MS, undefined, { signal: ended }).catch(() => undefined);
    }
  }

  /**
   * What the page adds for a step: its row, and the card of its story with the first step that this
   * stream tells of it, since the page may not have the card. `known`: the steps before the stream.
   */
  function createPieces(req: Request, { query, known }: { query: FlowQuery; known: Step[] }) {
    const steps = [...known];
    const begun = new Set<string>();
    return async function pieceOf(step: Step) {
      steps.push(step);
      if (query.oauthOnly && !step.oauth) return undefined;
      const { number, chain } = step;
      const [story] = storiesOf(
        steps.filter((each) => each.chain === chain),
        query,
      );
      const row = story?.rows.find((each) => each.step.number === number);
      if (story === undefined || row === undefined) return undefined;
      const { title, extent, failed } = story;
      const piece = { chain, title, extent, failed, number };
      const withRow = { ...piece, row: await render(req, 'flow-row', { row }) };
      if (begun.has(chain)) return withRow;
      begun.add(chain);
      return {
        ...withRow,
        card: await render(req, 'flow-card', { story, isOpen: true, rows: [] }),
      };
    };
  }

  const render = (
    req: Request,
    partial: string,
    locals: { row: Row } | { story: Story; isOpen: boolean; rows: readonly Row[] },
  ): Promise<string> =>
    renderPartial(req.app, partial, {
      ...helpers,
      step: undefined,
      here: undefined,
      linkTo,
      ...locals,
    });

  return async function streamStepsHandler(req, res) {
    const flow = mark.read(req);
    const opened = flow === undefined ? 0 : (streams.get(flow) ?? 0);
    if (flow === undefined || opened >= MAX_STREAMS_PER_BROWSER || total(streams) >= MAX_STREAMS) {
      return void res.status(204).end(); // a browser does not ask again after that
    }
    streams.set(flow, opened + 1);
    try {
      await streamTo(req, res, flow);
    } finally {
      const left = (streams.get(flow) ?? 1) - 1;
      if (left > 0) streams.set(flow, left);
      else streams.delete(flow);
    }
  };
}

const total = (streams: ReadonlyMap<string, number>): number =>
  [...streams.values()].reduce((sum, count) => sum + count, 0);

/** The number before the first step to tell. */
function beginningOf(steps: readonly Step[], { after, stories }: FlowQuery): number {
  if (stories === undefined) return after;
  const firstOfEachStory = [
    ...new Map(steps.toReversed().map((step) => [step.chain, step.number])).values(),
  ];
  const oldest = firstOfEachStory.sort((one, other) => other - one)[stories - 1] ?? 1;
  return Math.max(after, oldest - 1);
}

const isSignOut = ({ kind, topic, outcome, from }: Step): boolean =>
  kind === 'response' && from === 'app' && topic === 'logout' && outcome === 'ok';
