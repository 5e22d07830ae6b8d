import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createForeignApp } from '../../examples/core-apart/app.js';
import { createCore } from '../../examples/core-apart/core.js';
import { approve } from '../../sandbox/sign-in.js';
import { defaultClientId, defaultClientSecret, startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { createMemoryKeyValue, systemClock } from '../../src/core/index.js';

interface Foreign {
  origin: string;
  sandbox: Sandbox;
  skipMs(ms: number): void;
  get(path: string, person?: string): Promise<{ status: number; location: string; text: string }>;
  close(): Promise<void>;
}

/** The example as a foreign app would run it; its "session" is a header. */
async function startForeign(): Promise<Foreign> {
  let skippedMs = 0;
  const now = (): number => Date.now() + skippedMs;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const redirectUri = `${origin}/oauth/callback`;
  const sandbox = await startSandbox({ redirectUris: [redirectUri], faults: { consent: 'auto' }, now });
  const core = createCore({
    getbillUrl: new URL(sandbox.origin),
    clientId: defaultClientId,
    clientSecret: defaultClientSecret,
    redirectUri,
    storage: createMemoryKeyValue({ now }),
    encryptionKey: Buffer.alloc(32, 7),
    clock: { ...systemClock, now },
  });
  const idOf = (req: { get(name: string): string | undefined }) => req.get('x-person') ?? '';
  server.on('request', createForeignApp({ core, idOf, apiUrl: new URL('/external-api/v1', sandbox.origin) }));

  return {
    origin,
    sandbox,
    skipMs: (ms) => void (skippedMs += ms),
    async get(path, person = 'the session of Ann') {
      const answer = await fetch(origin + path, { headers: { 'x-person': person }, redirect: 'manual' });
      return { status: answer.status, location: answer.headers.get('location') ?? '', text: await answer.text() };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await core.idle();
      await sandbox.close();
    },
  };
}

async function connect(foreign: Foreign): Promise<void> {
  const { location } = await foreign.get('/connect');
  const callback = (await approve({ authorizeUrl: location })).slice(foreign.origin.length);
  expect((await foreign.get(callback, 'the session of Bob')).status).toBe(400); // and it costs Ann nothing
  expect(await foreign.get(callback)).toMatchObject({ status: 302, location: '/company' });
}

describe('the core in a foreign app', () => {
  it('connects a session of that app, and nobody else can use its callback', async () => {
    const foreign = await startForeign();
    try {
      expect(await foreign.get('/company')).toMatchObject({ status: 302, location: '/connect' });
      await connect(foreign);
      expect((await foreign.get('/company')).text).toContain('Example Collections LLC');
      expect(await foreign.get('/company', 'the session of Bob')).toMatchObject({ location: '/connect' });
    } finally {
      await foreign.close();
    }
  });

  it('renews once when ten requests arrive with the same expired token', async () => {
    const foreign = await startForeign();
    try {
      await connect(foreign);
      foreign.skipMs(3_601_000);
      const answers = await Promise.all(Array.from({ length: 10 }, () => foreign.get('/company')));
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
      expect(foreign.sandbox.control.state().counters.tokenByGrant.refresh_token).toBe(1);
    } finally {
      await foreign.close();
    }
  });
});
