import { setTimeout as delay } from 'node:timers/promises';
import type { Express, Request, Response } from 'express';
import { RequestError } from '../errors.js';
import { openEventStream } from '../web/event-stream.js';
import { renderPage } from '../web/render-page.js';
import type { BrowserMark } from '../web/session/browser-mark.js';
import { MASKED } from './masking.js';
import { sourceOf, type SourceCode } from '../web/source-code.js';
import type { Step } from './step.js';
import type { StepStore } from './step-store.js';
import { actorNames, failedStepOf, storiesOf, type Row, type Story } from './stories.js';
import { topicOf, topics } from './topics.js';

const MAX_STORIES = 25;
const MAX_STREAMS = 200;
const MAX_STREAMS_PER_BROWSER = 4;
const STREAM_MS = 600_000;
const LOOK_EVERY_MS = 400;

/** What the page was asked to show. */
interface View {
  readonly after: number;
  readonly oauthOnly: boolean;
  readonly chain: string | undefined;
  readonly step: number | undefined;
  readonly request: string | undefined;
  /** A stream begins with so many of the newest stories. */
  readonly stories: number | undefined;
}

/** `/flow`: what this browser's sign-ins and renewals look like on the wire. */
export function addFlowPages(
  app: Express,
  { store, mark }: { store: StepStore; mark: BrowserMark },
): void {
  const sources = new Map<string, SourceCode>();
  for (const topic of Object.values(topics)) {
    if ('code' in topic) sources.set(topic.code.symbol + topic.code.file, sourceOf(topic.code));
  }
  const streams = new Map<string, number>();

  async function stepsFor(req: Request, after: number): Promise<Step[]> {
    const flow = mark.read(req);
    if (flow === undefined) return [];
    await store.settled();
    return await store.read(flow, { after });
  }

  const sourceFor = (step: Step): SourceCode | undefined => {
    const { code } = topicOf(step.topic);
    return code && sources.get(code.symbol + code.file);
  };
  const helpers = { marked, topicOf, sourceFor, actorNames };

  app.get('/flow', async (req, res) => {
    mark.readOrSet(req, res);
    const view = viewOf(req);
    const steps = await stepsFor(req, view.after);
    const stories = storiesOf(steps, view).slice(0, MAX_STORIES);
    const failed = view.request === undefined ? undefined : failedStepOf(steps, view.request);
    const step = view.step ?? failed?.number;
    const chain = steps.find(({ number }) => number === step)?.chain ?? view.chain;
    const open = stories.find((story) => story.chain === chain) ?? stories[0];
    renderPage(res, 'flow', {
      ...helpers,
      title: 'Flow',
      stories,
      open: open?.chain,
      step,
      here: failed?.number,
      last: steps.at(-1)?.number ?? view.after,
      view,
      linkTo: (change: Partial<View>) => linkTo({ ...view, ...change }),
    });
  });

  app.get('/flow/steps', async (req, res) => {
    res.json({ steps: await stepsFor(req, numberOf(req.query['after']) ?? 0) });
  });

  app.get('/flow/steps/:number', async (req, res) => {
    const number = numberOf(req.params.number);
    const step = (await stepsFor(req, (number ?? 1) - 1)).find((each) => each.number === number);
    if (step === undefined) throw notFound();
    res.render('partials/flow-panel', { ...helpers, step });
  });

  app.get('/flow/stories/:chain', async (req, res) => {
    const view = viewOf(req);
    const stories = storiesOf(await stepsFor(req, view.after), view);
    const story = stories.find(({ chain }) => chain === req.params.chain);
    if (story === undefined) throw notFound();
    res.render('partials/flow-rows', { ...helpers, story, step: undefined, here: undefined });
  });

  app.get('/flow/live', async (req, res) => {
    const flow = mark.read(req);
    const opened = flow === undefined ? 0 : (streams.get(flow) ?? 0);
    if (flow === undefined || opened >= MAX_STREAMS_PER_BROWSER || total(streams) >= MAX_STREAMS) {
      return void res.status(204).end(); // a browser does not ask again after that
    }
    streams.set(flow, opened + 1);
    try {
      await tellLive(req, res, flow);
    } finally {
      const left = (streams.get(flow) ?? 1) - 1;
      if (left > 0) streams.set(flow, left);
      else streams.delete(flow);
    }
  });

  async function tellLive(req: Request, res: Response, flow: string): Promise<void> {
    const view = viewOf(req);
    const stream = openEventStream(res, { maxMs: STREAM_MS });
    const all = await store.read(flow, { after: 0 });
    const resumed = numberOf(req.get('last-event-id'));
    const known = resumed ?? beginningOf(all, view);
    const past = resumed ?? all.at(-1)?.number ?? 0; // a sign-out of the past ends nothing
    let told = all.filter(({ number }) => number <= known);
    let fresh = all.filter(({ number }) => number > known);
    while (!stream.ended.aborted) {
      for (const step of fresh) {
        told = [...told, step];
        const data = await liveStep(req, told, step, view);
        if (data !== undefined && !stream.send({ name: 'step', id: step.number, data }))
          await drained(res);
        if (isSignOut(step) && step.number > past) {
          stream.send({ name: 'end', data: {} }); // signed out: nobody comes back
          return stream.end();
        }
      }
      await delay(LOOK_EVERY_MS, undefined, { signal: stream.ended }).catch(() => undefined);
      const after = told.at(-1)?.number ?? known;
      fresh = (await store.last(flow)) > after ? await store.read(flow, { after }) : [];
    }
  }

  /** A row for a story that is there, or the card of a new one. */
  async function liveStep(req: Request, told: readonly Step[], step: Step, view: View) {
    if (view.oauthOnly && !step.oauth) return undefined;
    const mine = told.filter(({ chain }) => chain === step.chain);
    const [story] = storiesOf(mine, view);
    const row = story?.rows.find((each) => each.step.number === step.number);
    if (story === undefined || row === undefined) return undefined;
    const { chain, title, extent, failed } = story;
    const isNew = story.rows.length === 1;
    return {
      chain,
      title,
      extent,
      failed,
      number: step.number,
      row: await render(req, 'flow-row', { row }),
      ...(isNew && { card: await render(req, 'flow-card', { story, isOpen: true, rows: [] }) }),
    };
  }

  function render(
    req: Request,
    partial: string,
    locals: { row: Row } | { story: Story; isOpen: boolean; rows: readonly Row[] },
  ) {
    return new Promise<string>((resolve, reject) => {
      const all = { ...helpers, step: undefined, here: undefined, linkTo, ...locals };
      req.app.render(`partials/${partial}`, all, (error: Error | null, html: string) =>
        error ? reject(error) : resolve(html),
      );
    });
  }
}

const total = (streams: ReadonlyMap<string, number>): number =>
  [...streams.values()].reduce((sum, count) => sum + count, 0);

/** The number before the first step to tell. */
function beginningOf(steps: readonly Step[], { after, stories }: View): number {
  if (stories === undefined) return after;
  const firsts = [...new Map(steps.toReversed().map((step) => [step.chain, step.number])).values()];
  const oldest = firsts.sort((one, other) => other - one)[stories - 1] ?? 1;
  return Math.max(after, oldest - 1);
}

const isSignOut = ({ kind, topic, outcome, from }: Step): boolean =>
  kind === 'response' && from === 'app' && topic === 'logout' && outcome === 'ok';

const notFound = (): RequestError =>
  new RequestError('no such step', { code: 'not_found', status: 404 });

function drained(res: Response): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      res.off('drain', done).off('close', done);
      resolve();
    };
    res.once('drain', done).once('close', done);
    if (!res.writableNeedDrain) done();
  });
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : 0;
  return number > 0 ? number : undefined;
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : undefined;

const viewOf = ({ query }: Request): View => ({
  after: numberOf(query['after']) ?? 0,
  oauthOnly: query['show'] === 'oauth',
  chain: textOf(query['chain']),
  step: numberOf(query['step']),
  request: textOf(query['request']),
  stories: numberOf(query['stories']),
});

function linkTo({ after, oauthOnly, step, chain }: Partial<View>): string {
  const query = new URLSearchParams();
  if (after) query.set('after', String(after));
  if (oauthOnly === true) query.set('show', 'oauth');
  if (chain !== undefined) query.set('chain', chain);
  if (step !== undefined) query.set('step', String(step));
  const text = query.toString();
  return text === '' ? '/flow' : `/flow?${text}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

/** HTML in which equal secrets can be told: each in an element that names its hash. */
function marked(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
    .replace(
      MASKED,
      (secret) => `<span class="mask" tabindex="0" data-mask="${secret.slice(4)}">${secret}</span>`,
    );
}
