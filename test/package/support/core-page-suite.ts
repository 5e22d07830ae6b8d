import type { Browser } from '../../support/browser.js';
import type { SteeredProcess } from '../../examples/support/steered-process.js';
import { startForeignApp, type ForeignApp, type Project } from './core-page.js';

const HOUR_MS = 3_600_000;

async function connect(app: SteeredProcess): Promise<Browser> {
  const ann = app.browser();
  const { location = '' } = await ann.get('/connect');
  const approved = await ann.approve(location);
  const callback = approved.replace('?', '?note=why?&'); // a "?" may stand in a query
  expect((await app.browser().get(callback)).status).toBe(400); // Bob's browser; and it costs Ann nothing
  expect(await ann.get(callback)).toMatchObject({ status: 302, location: '/company' });
  return ann;
}

/** What the app of docs/core.md does, wherever its core comes from. */
export function describeTheAppOfThePage(project: () => Project): void {
  let foreign: ForeignApp;
  let app: SteeredProcess;

  beforeAll(async () => {
    foreign = await startForeignApp(project());
    app = await foreign.start();
  });
  afterAll(() => foreign.close());

  const renewals = (): number =>
    foreign.sandbox.control.state().counters.tokenByGrant.refresh_token;
  const company = (browser: Browser) => browser.get('/company');

  it('connects a session of that app, and nobody else can use its callback', async () => {
    expect(await company(app.browser())).toMatchObject({ status: 302, location: '/connect' });
    const ann = await connect(app);
    expect((await company(ann)).text).toContain('Example Collections LLC');
    expect(await company(app.browser())).toMatchObject({ status: 302, location: '/connect' });
  });

  it('renews once when ten requests arrive with the same expired token', async () => {
    const ann = await connect(app);
    const before = renewals();
    await app.steer({ skipMs: HOUR_MS });
    const responses = await Promise.all(Array.from({ length: 10 }, () => company(ann)));
    expect(responses.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(renewals() - before).toBe(1);
  });

  it('renews once when GetBill refuses a token that looks good, for ten requests', async () => {
    const ann = await connect(app);
    const before = renewals();
    foreign.sandbox.control.expireAccessTokens();
    const responses = await Promise.all(Array.from({ length: 10 }, () => company(ann)));
    expect(responses.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(renewals() - before).toBe(1);
  });

  it('responds 403 to somebody who declined, 503 while GetBill is away, and is connected again afterwards', async () => {
    const bob = app.browser();
    foreign.sandbox.control.set({ consent: 'ask' });
    const { location = '' } = await bob.get('/connect');
    expect((await bob.get(await bob.approve(location, { decision: 'deny' }))).status).toBe(403);

    foreign.sandbox.control.set({ consent: 'auto' });
    const ann = await connect(app);
    await app.steer({ skipMs: HOUR_MS });
    foreign.sandbox.control.set({ token: [{ mode: 'status', status: 503, times: 1 }] });
    expect((await company(ann)).status).toBe(503);
    await app.steer({ skipMs: 60_000 });
    expect((await company(ann)).status).toBe(200);
  });

  it('forgets the tokens when asked to', async () => {
    const ann = await connect(app);
    await ann.send('POST', '/disconnect');
    expect(await company(ann)).toMatchObject({ status: 302, location: '/connect' });
  });
}
