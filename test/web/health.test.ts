import request from 'supertest';
import { createApp } from '../../src/app.js';
import { StorageError } from '../../src/errors.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const METRICS_TOKEN = 'CANARY-metrics-token-0123';

let running: TestApp;
beforeAll(async () => {
  running = await startTestApp({ env: { METRICS_TOKEN, SESSION_IDLE_S: '7200' } });
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
      .set('Authorization', `Bearer ${METRICS_TOKEN}`)
      .expect(200);
    expect(text).toContain('getbill_connect_renewals_total');
  });

  it('measures the storage also where nobody asks whether the process is ready', async () => {
    const count = async (): Promise<number> => {
      const metrics = app().get('/metrics').set('Authorization', `Bearer ${METRICS_TOKEN}`);
      return Number(
        /^getbill_connect_storage_seconds_count (\d+)$/m.exec((await metrics).text)?.[1],
      );
    };
    const before = await count();
    expect(await count()).toBe(before + 1);
  });

  it('counts renewed tokens that wait for the storage, for as long as they wait', async () => {
    const waiting = async (): Promise<string | undefined> => {
      const metrics = app().get('/metrics').set('Authorization', `Bearer ${METRICS_TOKEN}`);
      return /^getbill_connect_pending_writes (\d+)$/m.exec((await metrics).text)?.[1];
    };
    const browser = running.browser();
    await browser.signIn();
    running.clock.skipMs(3_601_000);
    const { keyValue } = running.services;
    const write = jest.spyOn(keyValue, 'compareAndSet');
    write.mockRejectedValue(new StorageError(new Error('full')));
    expect((await browser.get('/dashboard')).status).toBe(200);
    expect(await waiting()).toBe('1');
    write.mockRestore();
    await running.services.tokens.idle();
    expect(await waiting()).toBe('0');
  });

  it('has no metrics while no token is set', async () => {
    const without = await startTestApp();
    await request(without.origin).get('/metrics').expect(404);
    await without.close();
  });
});
