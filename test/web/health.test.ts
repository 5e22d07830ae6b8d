import request from 'supertest';
import { createApp } from '../../src/app.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let running: TestApp;
beforeAll(async () => {
  running = await startTestApp({ env: { METRICS_TOKEN: 'CANARY-metrics-token-0123' } });
});
afterAll(() => running.close());

const app = (isReady = true) =>
  request(createApp(running.services, { isReady: () => Promise.resolve(isReady) }));

describe('what machines ask', () => {
  it('says that it is alive, and nothing more', async () => {
    await app().get('/healthz').expect(200, { status: 'ok' });
  });

  it('is not ready while it is stopping, but alive', async () => {
    await app(false).get('/readyz').expect(503, { status: 'unavailable' });
    await app(false).get('/healthz').expect(200);
  });

  it('gives metrics to the holder of the token only', async () => {
    await app().get('/metrics').expect(401);
    await app().get('/metrics').set('Authorization', 'Bearer wrong').expect(401);
    const { text } = await app()
      .get('/metrics')
      .set('Authorization', 'Bearer CANARY-metrics-token-0123')
      .expect(200);
    expect(text).toContain('getbill_connect_renewals_total');
  });

  it('has no metrics while no token is set', async () => {
    const without = await startTestApp();
    await request(without.origin).get('/metrics').expect(404);
    await without.close();
  });
});
