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
import { flowQueryOf, linkTo, numberOf, type FlowQuery } from './flow-query.js';

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
    const query = flowQueryOf(req);
    const steps = await stepsFor(req, query.after);
    const stories = storiesOf(steps, query).slice(0, MAX_STORIES);
    const failed = query.request === undefined ? undefined : failedStepOf(steps, query.request);
    const step = query.step ?? failed?.number;
    const chain = steps.find(({ number }) => number === step)?.chain ?? query.chain;
    const open = stories.find((story) => story.chain === chain) ?? stories[0];
    renderPage(res, 'flow', {
      ...helpers,
      title: 'Flow',
      stories,
      open: open?.chain,
      step,
      here: failed?.number,
      last: steps.at(-1)?.number ?? query.after,
      query,
      linkTo: (change: Partial<FlowQuery>) => linkTo({ ...query, ...change }),
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
    const query = flowQueryOf(req);
    const stories = storiesOf(await stepsFor(req, query.after), query);
    const story = stories.find(({ chain }) => chain === req.params.chain);
    if (story === undefined) throw notFound();
    res.render('partials/flow-rows', { ...helpers, story, step: undefined, here: undefined });
  });

  app.get('/flow/live', streamSteps({ store, mark, helpers }));
}

const notFound = (): RequestError =>
  new RequestError('no such step', { code: 'not_found', status: 404 });
