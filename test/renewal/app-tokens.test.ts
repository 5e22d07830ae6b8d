/// <reference types="jest" />
import { parseConfig } from '../../src/config/config.js';
import type { AppEvent } from '../../src/events.js';
import type { HttpResponse } from '../../src/core/oauth/token-response.js';
import { createTokenEndpoint, type Send } from '../../src/core/oauth/token-endpoint.js';
import type { KeyValue } from '../../src/core/storage/key-value.js';
import { createMemoryKeyValue } from '../../src/core/storage/memory.js';
import { createAppTokens, type AppTokens } from '../../src/core/app-tokens.js';
import { createCipher } from '../../src/core/storage/cipher.js';
import { createClock, createGate } from './clock.js';
import { hooked, reportingTo, setUp, TIMEOUT_MS } from './setup.js';

const HOUR_MS = 3_600_000;
const MARGIN_MS = 60_000;
const SCOPES = ['debts:read', 'company:read'];
const { getbill } = parseConfig({
  GETBILL_CLIENT_ID: 'client-1',
  GETBILL_CLIENT_SECRET: 'the-secret',
  SESSION_SECRET: 's'.repeat(32),
  TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
});

/** Any number of processes over one storage, the real token endpoint and a network written by hand. */
function installation() {
  const clock = createClock();
  const store = createMemoryKeyValue({ now: clock.now });
  const events: AppEvent[] = [];
  const emit = (event: AppEvent): void => void events.push(event);
  const server = {
    sent: [] as URLSearchParams[],
    issue: (extra: object = {}): HttpResponse =>
      ok({ access_token: `at-${server.sent.length}`, ...extra }),
    answer: async (): Promise<HttpResponse> => Promise.resolve(server.issue()),
  };
  const send: Send = async (_url, { body }) => {
    server.sent.push(new URLSearchParams(body));
    return await server.answer();
  };
  const tokenEndpoint = createTokenEndpoint({
    provider: getbill,
    send,
    emit,
    now: clock.now,
    monotonicMs: clock.now,
  });

  function start({
    keyValue = store,
    clientId = 'client-1',
    now = clock.now,
    key = Buffer.alloc(32, 7),
  } = {}): AppTokens {
    return createAppTokens({
      keyValue,
      ...reportingTo(events, keyValue),
      cipher: createCipher([key]),
      clientId,
      tokenEndpoint,
      renewalsPerMinute: 10_000,
      timeoutMs: TIMEOUT_MS,
      marginMs: MARGIN_MS,
      clock: { now, monotonicMs: clock.now, sleep: clock.sleep },
    });
  }
  /** What it gets, in the course of time. */
  async function ask(tokens: AppTokens, scopes = SCOPES): Promise<string> {
    const { value, error } = await clock.passesUntil(tokens.access(scopes));
    if (error !== undefined) throw error as Error;
    return value?.accessToken ?? '';
  }
  return { clock, store, events, server, start, ask };
}

const ok = (body: object): HttpResponse => ({
  status: 200,
  body: JSON.stringify({ token_type: 'Bearer', expires_in: 3_600, ...body }),
});
const refused = (error: string): HttpResponse => ({ status: 401, body: JSON.stringify({ error }) });

describe("the app's own tokens", () => {
  it('are asked for with all scopes again, though the server granted fewer the time before', async () => {
    const { clock, server, start, ask } = installation();
    const tokens = start();
    server.answer = async () => Promise.resolve(server.issue({ scope: 'company:read' }));
    await ask(tokens);
    await clock.advance(HOUR_MS);
    await ask(tokens);
    const asked = server.sent.map((form) => form.get('scope'));
    expect(asked).toEqual(['company:read debts:read', 'company:read debts:read']);
  });

  it('ask for the scopes with client_credentials, once for all later callers in any process', async () => {
    const { server, start, ask } = installation();
    const [one, two] = [start(), start()];
    expect([await ask(one), await ask(two), await ask(one, [...SCOPES].reverse())]).toEqual([
      'at-1',
      'at-1',
      'at-1',
    ]);
    expect(server.sent.map(String)).toEqual([
      'scope=company%3Aread+debts%3Aread&grant_type=client_credentials&client_id=client-1&client_secret=the-secret',
    ]);
  });

  it('are apart for other scopes and another client', async () => {
    const { start, ask } = installation();
    const tokens = start();
    expect(await ask(tokens)).toBe('at-1');
    expect(await ask(tokens, ['users:read'])).toBe('at-2');
    expect(await ask(start({ clientId: 'client-2' }))).toBe('at-3');
  });

  it('are asked for anew once the encryption key of their record is gone: a year of key_missing for a nightly job', async () => {
    const { start, ask } = installation();
    await ask(start());
    const tokens = start({ key: Buffer.alloc(32, 8) });
    expect([await ask(tokens), await ask(tokens)]).toEqual(['at-2', 'at-2']);
  });

  it('are asked for once when 15 callers in three processes come at the same moment, whoever begins the record', async () => {
    const { clock, server, start } = installation();
    const gate = createGate();
    server.answer = async () => {
      await gate.passed;
      return server.issue();
    };
    const processes = [start(), start(), start()];
    const asked = processes.flatMap((tokens) =>
      Array.from({ length: 5 }, () => tokens.access(SCOPES)),
    );
    const all = Promise.all(asked);
    await clock.advance(500);
    gate.open();
    const { value } = await clock.passesUntil(all);
    expect(new Set(value?.map(({ accessToken }) => accessToken))).toEqual(new Set(['at-1']));
    expect(server.sent).toHaveLength(1);
  });

  it('are not asked for again by a process that found no record and comes late to begin it', async () => {
    const { clock, store, server, start, ask } = installation();
    const gate = createGate();
    const late = hooked(
      store,
      async (command, key) =>
        void (command !== 'getWithTtl' && key.startsWith('grant:') && (await gate.passed)),
    );
    const waiting = start({ keyValue: late }).access(SCOPES);
    await clock.advance(1);
    expect(await ask(start())).toBe('at-1');
    gate.open();
    const { value } = await clock.passesUntil(waiting);
    expect([value?.accessToken, server.sent.length]).toEqual(['at-1', 1]);
  });

  it('are not fooled by a clock that is behind', async () => {
    const { clock, start, ask, server } = installation();
    const gate = createGate();
    server.answer = async () => {
      await gate.passed;
      return server.issue();
    };
    const first = start().access(SCOPES);
    await clock.advance(1);
    const behind = start({ now: () => clock.now() - 90_000 }).access(SCOPES);
    await clock.advance(100);
    gate.open();
    const { value } = await clock.passesUntil(Promise.all([first, behind]));
    expect(value?.map(({ accessToken }) => accessToken)).toEqual(['at-1', 'at-1']);
    expect(await ask(start())).toBe('at-1');
  });

  it('are renewed in the margin while nobody waits', async () => {
    const { clock, server, start, ask } = installation();
    const [one, two] = [start(), start()];
    await ask(one);
    await clock.advance(HOUR_MS - MARGIN_MS + 1_000);
    const gate = createGate();
    server.answer = async () => {
      await gate.passed;
      return server.issue();
    };
    for (const tokens of [one, two, one]) {
      const { value, tookMs } = await clock.passesUntil(tokens.access(SCOPES));
      expect([value?.accessToken, tookMs]).toEqual(['at-1', 0]);
    }
    gate.open();
    await clock.advance(1_000);
    expect([await ask(one), await ask(two), server.sent.length]).toEqual(['at-2', 'at-2', 2]);
  });

  it('last for months of renewals: nobody waits again', async () => {
    const { clock, server, start, ask } = installation();
    const tokens = start();
    server.answer = async () => {
      await clock.sleep(100);
      return server.issue({ expires_in: 10 * 86_400 });
    };
    await ask(tokens);
    for (let renewals = 0; renewals < 9; renewals += 1) {
      await clock.advance(10 * 86_400_000 - MARGIN_MS / 2);
      const { tookMs } = await clock.passesUntil(tokens.access(SCOPES));
      expect(tookMs).toBe(0);
      await clock.advance(1_000);
    }
    expect(server.sent).toHaveLength(10);
  });

  it('are renewed after a 401 of the API, by one caller', async () => {
    const { clock, server, start } = installation();
    const access = await start().access(SCOPES);
    const all = Promise.all([access.renew('at-1'), access.renew('at-1')]);
    const { value } = await clock.passesUntil(all);
    expect(value?.map(({ accessToken }) => accessToken)).toEqual(['at-2', 'at-2']);
    expect(server.sent).toHaveLength(2);
  });

  it('never spend a refresh token, also when the answer carries one', async () => {
    const { clock, server, start, ask } = installation();
    server.answer = async () => Promise.resolve(server.issue({ refresh_token: 'rt-1' }));
    const tokens = start();
    await ask(tokens);
    await clock.advance(HOUR_MS);
    expect(await ask(tokens)).toBe('at-2');
    expect(server.sent.map((form) => form.get('grant_type'))).toEqual([
      'client_credentials',
      'client_credentials',
    ]);
    expect(server.sent[1]?.get('scope')).toBe('company:read debts:read');
  });

  it.each(['invalid_client', 'invalid_scope', 'invalid_grant', 'unauthorized_client'])(
    '%s is not asked again by anybody for half a minute, then once',
    async (error) => {
      const { clock, server, start, ask } = installation();
      server.answer = async () => Promise.resolve(refused(error));
      const [one, two] = [start(), start()];
      for (const tokens of [one, two, one, two])
        await expect(ask(tokens)).rejects.toMatchObject({ status: 502 });
      expect(server.sent).toHaveLength(1);
      await clock.advance(30_000);
      await expect(ask(two)).rejects.toMatchObject({ status: 502 });
      expect(server.sent).toHaveLength(2);
      server.answer = async () => Promise.resolve(server.issue());
      await clock.advance(30_000);
      expect(await ask(one)).toBe('at-3');
    },
  );

  it('go on being used while the client is rejected, and are kept', async () => {
    const { clock, server, start, ask } = installation();
    const tokens = start();
    await ask(tokens);
    server.answer = async () => Promise.resolve(refused('invalid_client'));
    await clock.advance(HOUR_MS - MARGIN_MS / 2);
    expect(await ask(tokens)).toBe('at-1');
    await clock.advance(1_000);
    expect([await ask(tokens), await ask(start()), server.sent.length]).toEqual([
      'at-1',
      'at-1',
      2,
    ]);
  });

  it('begin anew when their record was deleted or is not ours', async () => {
    const { store, clock, start, ask } = installation();
    const keys: string[] = [];
    const keyValue: KeyValue = hooked(
      store,
      (command, key) => command === 'setIfAbsent' && keys.push(key),
    );
    expect(await ask(start({ keyValue }))).toBe('at-1');
    const key = keys.find((name) => name.startsWith('grant:app.')) ?? '';
    await store.delete(key);
    expect(await ask(start())).toBe('at-2');
    await store.set(key, 'not ours', { ttlMs: HOUR_MS });
    await clock.advance(1);
    expect(await ask(start())).toBe('at-3');
  });

  it('stand nowhere in the open', async () => {
    const { store, start, ask } = installation();
    const written: unknown[] = [];
    const keyValue = new Proxy(store, {
      get: (target, name: keyof KeyValue) =>
        (...args: unknown[]) => (written.push(...args), (Reflect.get(target, name) as (...a: unknown[]) => unknown)(...args)),
    }); // prettier-ignore
    await ask(start({ keyValue }));
    expect(written.length).toBeGreaterThan(5);
    for (const canary of ['at-1', 'the-secret', 'client-1'])
      expect(JSON.stringify(written)).not.toContain(canary);
  });
});

describe("a person's refused renewal", () => {
  it("[A19] ends the session and asks for none of the app's tokens", async () => {
    const app = installation();
    app.server.answer = async () =>
      Promise.resolve({ status: 400, body: JSON.stringify({ error: 'invalid_grant' }) });
    const emit = (): void => undefined;
    const send: Send = async (_url, { body }) => {
      app.server.sent.push(new URLSearchParams(body));
      return await app.server.answer();
    };
    const bench = setUp();
    const tokens = bench.startProcess({
      tokenEndpoint: createTokenEndpoint({
        provider: getbill,
        send,
        emit,
        now: bench.clock.now,
        monotonicMs: bench.clock.now,
      }),
    });
    await bench.signIn(tokens);
    await bench.clock.advance(HOUR_MS);
    await expect(tokens.fresh('g1')).rejects.toMatchObject({ code: 'grant_ended' });
    await expect(tokens.fresh('g1')).rejects.toMatchObject({ code: 'grant_ended' });
    expect(app.server.sent.map((form) => form.get('grant_type'))).toEqual(['refresh_token']);
  });
});
