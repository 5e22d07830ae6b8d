import type { Express, Request, RequestHandler, Response } from 'express';
import { NotSignedInError, RequestError } from '../errors.js';
import { apiFor, type PageDeps } from '../web/api-for.js';
import { renderPage } from '../web/render-page.js';
import { renderPartial } from '../web/render-partial.js';
import type { BrowserMark } from '../web/session/browser-mark.js';
import { sourceOf } from '../web/source-code.js';
import type { SceneRunner } from './scene-runner.js';
import type { Result, Results, ResultStore } from './results.js';
import { scenes, type SceneId } from './scenes.js';

interface TourDeps extends Pick<PageDeps, 'forward' | 'access'> {
  readonly mark: BrowserMark;
  readonly results: ResultStore;
  readonly runner: SceneRunner;
  readonly signedIn: readonly RequestHandler[];
  readonly flowInspector: boolean;
}

/** `/tour`: seven scenes that break the sandbox, and what it counted then. */
export function addTourPages(
  app: Express,
  { mark, results, runner, signedIn, forward, access, flowInspector }: TourDeps,
): void {
  const shown = scenes.map((scene) => ({ ...scene, source: sourceOf(scene.code) }));

  async function keep(browser: string, scene: SceneId, result: Result): Promise<Results> {
    const all = { ...(await results.read(browser)), [scene]: result };
    await results.write(browser, all);
    return all;
  }

  app.get('/tour', onlyOnTheWayBack, ...signedIn, async (req, res) => {
    const browser = mark.readOrSet(req, res);
    const found = await results.read(browser);
    const scene = scenes.find(({ id }) => placeOf(found[id]) === req.query['back'])?.id;
    if (scene === undefined) return void res.redirect(303, '/tour');
    // A page of the visitor's own: its call is where a dead grant is noticed.
    await apiFor(req, res, { forward, access })
      .client.companyProfile()
      .catch((error: unknown) => {
        if (error instanceof NotSignedInError) throw error;
      });
    const result = await runner.finish(scene, found[scene] as Result);
    await keep(browser, scene, result);
    res.redirect(303, `/tour#${scene}`);
  });

  app.get('/tour', async (req, res) => {
    const found = await results.read(mark.readOrSet(req, res));
    renderPage(res, 'tour', {
      title: 'Tour',
      wide: true,
      scenes: shown,
      results: found,
      progress: progressOf(found),
      flowInspector,
    });
  });

  app.post('/tour/scenes/:scene', async (req, res) => {
    const scene = scenes.find(({ id }) => id === req.params.scene);
    if (scene === undefined) throw notFound();
    const browser = mark.read(req);
    const back = `/tour#${scene.id}`;
    // no cookie: not from our page
    if (browser === undefined) return respond(req, res, { goTo: back });
    if (scene.needsSignIn && req.signedIn === undefined)
      return respond(req, res, { goTo: '/login?returnTo=/tour' });
    const result = await runner.play(scene.id, req);
    const all = await keep(browser, scene.id, result);
    const { goTo } = result.state === 'waiting' ? result : { goTo: undefined };
    if (!wantsJson(req)) return void res.redirect(303, back);
    const html = await renderPartial(app, 'tour-result', { result });
    res.json({ html, goTo, state: result.state, progress: progressOf(all) });
  });
}

/** JSON for the script, a redirect for a form: only to a page of ours, as CSP allows no other. */
function respond(req: Request, res: Response, { goTo }: { goTo: string }): void {
  if (wantsJson(req)) return void res.json({ goTo });
  res.redirect(303, goTo.startsWith('/tour') ? goTo : '/tour');
}

const wantsJson = (req: Request): boolean => req.accepts(['html', 'json']) === 'json';

const onlyOnTheWayBack: RequestHandler = (req, _res, next) =>
  next(req.query['back'] === undefined ? 'route' : undefined);

const placeOf = (result: Result | undefined): string | undefined =>
  result?.state === 'waiting' ? result.place : undefined;

const progressOf = (results: Results): string =>
  `${Object.values(results).filter(({ state }) => state === 'passed').length} of ${scenes.length} passed`;

const notFound = (): RequestError =>
  new RequestError('no such scene', { code: 'not_found', status: 404 });
