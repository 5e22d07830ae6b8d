import { createHash } from 'node:crypto';
import { StorageError, UnavailableError } from '../../src/errors.js';
import type { AppEvent } from '../../src/events.js';
import type { TokenEndpoint } from '../../src/core/oauth/token-endpoint.js';
import {
  tokenResponseFrom,
  tokenSetFromResponse,
  type TokenResponse,
  type TokenSet,
} from '../../src/core/oauth/token-set.js';
import { createReport } from '../../src/core/events.js';
import { createReadRecord } from '../../src/core/storage/read-record.js';
import type { KeyValue } from '../../src/core/storage/key-value.js';
import { createMemoryKeyValue } from '../../src/core/storage/memory.js';
import { createCipher } from '../../src/core/storage/cipher.js';
import type { TokenManager } from '../../src/core/tokens/token-manager.js';
import { createClock } from './clock.js';
import { createTokens } from './create-tokens.js';

export const TIMEOUT_MS = 10_000;
const SESSION_MS = 28_800_000;
const KEY = Buffer.alloc(32, 7);

/** `hook` runs before each command: it may throw, or keep the command waiting. */
export function hooked(
  keyValue: KeyValue,
  hook: (command: string, key: string) => unknown,
): KeyValue {
  return new Proxy(keyValue, {
    get:
      (target, command: keyof KeyValue) =>
      async (...args: [string]) => {
        await hook(command, args[0]);
        const run = Reflect.get(target, command) as (...args: [string]) => Promise<unknown>;
        return await run(...args);
      },
  });
}

/** Switched on, the commands that `affects` names fail. */
export function failing(keyValue: KeyValue, affects: (command: string, key: string) => boolean) {
  const storage = { down: false };
  const failingKeyValue = hooked(keyValue, (command, key) => {
    if (storage.down && affects(command, key)) throw new StorageError(`${command} ${key}`);
  });
  return Object.assign(storage, { keyValue: failingKeyValue });
}

const fingerprint = (id: string): string =>
  createHash('sha256').update(id).digest('base64url').slice(0, 8);

/** The parts of a process that say what happens. */
export function reportingTo(events: AppEvent[], keyValue: KeyValue) {
  const report = createReport((event) => void events.push(event), fingerprint);
  return { report, fingerprint, readRecord: createReadRecord({ keyValue, report }) };
}

export type Bench = ReturnType<typeof setUp>;

/** The production factories over memory, a clock of our own and a token endpoint written by hand. */
export function setUp({
  marginS = 60,
  lifetimeS = 3_600,
  revocation = true,
  renewalsPerMinute = 10_000,
} = {}) {
  const clock = createClock();
  const store = createMemoryKeyValue({ now: clock.now });
  const events: AppEvent[] = [];
  const server = {
    /** Refresh tokens as they were spent. */
    spent: [] as string[],
    revoked: [] as string[],
    respond: async (_refreshToken: string): Promise<TokenResponse> =>
      Promise.resolve(server.rotated()),
    rotated: (): TokenResponse => {
      const number = server.spent.length;
      return { access_token: `at-${number}`, refresh_token: `rt-${number}`, expires_in: lifetimeS };
    },
  };
  const endpoint: Pick<TokenEndpoint, 'refresh' | 'revoke'> = {
    async refresh(refreshToken) {
      server.spent.push(refreshToken);
      const body = await server.respond(refreshToken);
      const response = tokenResponseFrom({ token_type: 'Bearer', ...body });
      if (response instanceof UnavailableError) throw response;
      return response;
    },
    async revoke(token) {
      server.revoked.push(token);
      return Promise.resolve();
    },
  };

  /** Another process of the same installation: its own memory, the same storage. */
  function startProcess({
    keyValue = store,
    keys = [KEY],
    tokenEndpoint = endpoint,
    clockErrorMs = 0,
  }: {
    keyValue?: KeyValue;
    keys?: Buffer[];
    tokenEndpoint?: typeof endpoint;
    clockErrorMs?: number;
  } = {}): TokenManager {
    return createTokens({
      keyValue,
      ...reportingTo(events, keyValue),
      cipher: createCipher(keys),
      renewWith: ({ refreshToken = '' }) => tokenEndpoint.refresh(refreshToken),
      revoke: revocation ? tokenEndpoint.revoke : undefined,
      renewalsPerMinute,
      timeoutMs: TIMEOUT_MS,
      marginMs: marginS * 1_000,
      clock: { now: () => clock.now() + clockErrorMs, monotonicMs: clock.now, sleep: clock.sleep },
    });
  }

  async function signIn(tokens: TokenManager, grantId = 'g1', answer: Partial<TokenResponse> = {}) {
    const response = {
      access_token: 'at-0',
      refresh_token: 'rt-0',
      expires_in: lifetimeS,
      ...answer,
    };
    const tokenSet = tokenSetFromResponse(response, {
      sentAtMs: clock.now(),
      requestedScopes: ['company:read'],
    });
    await tokens.establish(grantId, tokenSet, { ttlMs: SESSION_MS });
    return tokenSet;
  }

  return {
    clock,
    store,
    events,
    server,
    startProcess,
    signIn,
    eventTypes: (): string[] => events.map(({ type }) => type),
    /** Encrypted as a process would do it. */
    sealed: (text: string, grantId: string): string => createCipher([KEY]).encrypt(text, grantId),
    /** What any process would read now. */
    onRecord: async (grantId = 'g1'): Promise<string | undefined> =>
      await store.get(`grant:${grantId}`),
  };
}

export const accessTokens = (tokenSets: readonly TokenSet[]): string[] =>
  tokenSets.map(({ accessToken }) => accessToken);
