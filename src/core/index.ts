import { systemClock, type Clock } from './clock.js';
import { createFingerprint, createReport, type Emit } from './events.js';
import { assertProvider, DEFAULT_TIMEOUT_MS, type Provider } from './oauth/provider.js';
import { createTokenEndpoint, sendWithFetch, type Send } from './oauth/token-endpoint.js';
import { createPendingLogins } from './sign-in/pending-logins.js';
import { createSignIn } from './sign-in/sign-in.js';
import { createCipher } from './storage/cipher.js';
import type { KeyValue } from './storage/key-value.js';
import { createMemoryKeyValue } from './storage/memory.js';
import { createReadRecord } from './storage/read-record.js';
import { createAppTokens } from './app-tokens.js';
import { createParts } from './tokens/parts.js';
import { createTokenManager } from './tokens/token-manager.js';

export { systemClock, type Clock } from './clock.js';
export * from './errors.js';
export { createFingerprint, type CoreEvent, type Fingerprint } from './events.js';
export type { Provider } from './oauth/provider.js';
export type { TokenSet } from './oauth/token-set.js';
export type { SignIn } from './sign-in/sign-in.js';
export type { KeyValue } from './storage/key-value.js';
export { createMemoryKeyValue } from './storage/memory.js';
export type { AppAccess, AppTokens } from './app-tokens.js';
export type { TokenManager } from './tokens/token-manager.js';

const DEFAULT_MARGIN_MS = 60_000;
const DEFAULT_RENEWALS_PER_MINUTE = 600;

export interface OAuthClientOptions {
  provider: Provider;
  /** Shared by all processes. */
  storage: KeyValue;
  /** 32 random bytes each: the first encrypts, all decrypt, so that keys can be rotated. */
  encryptionKeys: readonly Buffer[];
  fetch?: typeof globalThis.fetch;
  /** Instead of `fetch`, for an HTTP client of another kind. */
  send?: Send;
  /** Is told what happens, never a secret. What it throws is ignored: it may not cost a token. */
  report?: Emit;
  clock?: Clock;
  /** For all grants together; 600 by default. */
  renewalsPerMinute?: number;
}

export type OAuthClient = ReturnType<typeof createOAuthClient>;

/**
 * Sign-in and tokens: renewed once, by one process, never lost, encrypted in your storage.
 * @throws {TypeError} an option is missing or of another type, or a key is not 32 bytes long.
 */
export function createOAuthClient({
  provider,
  storage: keyValue,
  encryptionKeys,
  fetch = globalThis.fetch,
  send = sendWithFetch(fetch),
  report: onEvent = () => undefined,
  clock = systemClock,
  renewalsPerMinute = DEFAULT_RENEWALS_PER_MINUTE,
}: OAuthClientOptions) {
  assertProvider(provider);
  for (const name of Object.keys(createMemoryKeyValue()) as (keyof KeyValue)[])
    if (typeof (keyValue as Partial<KeyValue> | null)?.[name] !== 'function')
      throw new TypeError(`"storage" has no ${name}()`);
  for (const [name, option] of Object.entries<unknown>({ fetch, send, report: onEvent }))
    if (typeof option !== 'function') throw new TypeError(`"${name}" is not a function`);
  const { clientId, timeoutMs = DEFAULT_TIMEOUT_MS, marginMs = DEFAULT_MARGIN_MS } = provider;
  for (const [name, option] of Object.entries({ timeoutMs, marginMs, renewalsPerMinute }))
    if (!Number.isFinite(option)) throw new TypeError(`"${name}" is no number`);
  const emit: Emit = (event) => {
    try {
      onEvent(event);
    } catch {
      // the reader's own fault
    }
  };
  const cipher = createCipher(encryptionKeys);
  const fingerprint = createFingerprint(encryptionKeys);
  const report = createReport(emit, fingerprint);
  const tokenEndpoint = createTokenEndpoint({ provider, send, emit, ...clock });
  const readRecord = createReadRecord({ keyValue, report });
  const pendingLogins = createPendingLogins({ keyValue, cipher, readRecord });
  const shared = { keyValue, cipher, readRecord, report, fingerprint, clock };
  const lifecycle = { ...shared, timeoutMs, marginMs, renewalsPerMinute };
  const parts = createParts({
    ...lifecycle,
    renewWith: ({ refreshToken = '' }) => tokenEndpoint.refresh(refreshToken),
    revoke: provider.revokeUrl && tokenEndpoint.revoke,
  });
  const tokens = createTokenManager(parts);
  const appTokens = createAppTokens({ ...lifecycle, clientId, tokenEndpoint });

  return {
    signIn: createSignIn({ provider, pendingLogins, tokenEndpoint, emit, fingerprint, clock }),
    tokens,
    appTokens,
    /** Resolves when no renewal, late write or revocation is under way: wait for it before exit. */
    idle: async () => void (await Promise.all([tokens.idle(), appTokens.idle()])),
  };
}
