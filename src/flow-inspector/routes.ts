import type { Express, Request } from 'express';
import { RequestError } from '../errors.js';
import { renderPage } from '../web/render-page.js';
import type { BrowserMark } from '../web/session/browser-mark.js';
import { streamSteps } from './live.js';
import { marked } from './marked.js';
import { sourceOf, type SourceCode } from '../web/source-code.js';
import type { Step } from './step.js';
import type { StepStore } from './step-store.js';
import { actorNames } from './rows.js';
import { failedStepOf, storiesOf } from './stories.js';
import { topicOf, topics } from './topics.js';
import { linkTo, numberOf, viewOf, type View } from './view.js';

const MAX_STORIES = 25;

/** `/flow`: what this browser's sign-ins and renewals look like on the wire. */
export function addFlowPages(
  app: Express,
  { store, mark }: { store: StepStore; mark: BrowserMark },
): void {
  const sources = new Map<string, SourceCode>();
  for (const topic of Object.values(topics)) {
    if ('code' in topic) sources.set(topic.code.symbol + topic.code.file, sourceOf(topic.code));
  }

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

  app.get('/flow/live', streamSteps({ store, mark, helpers }));
}

const notFound = (): RequestError =>
  new RequestError('no such step', { code: 'not_found', status: 404 });
