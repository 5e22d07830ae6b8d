import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../src/config/config.js';
import type { Emit } from '../../src/events.js';
import { createUpstream } from '../../src/getbill/upstream.js';
import { createPendingLogins } from '../../src/core/sign-in/pending-logins.js';
import { createSignIn } from '../../src/core/sign-in/sign-in.js';
import { createTokenEndpoint } from '../../src/core/oauth/token-endpoint.js';
import type { KeyValue } from '../../src/core/storage/key-value.js';
import { createCipher } from '../../src/core/storage/cipher.js';
import { createTokens } from '../../src/core/tokens/tokens.js';

/** Sign-in and token lifecycle without our pages and sessions: renewed once, by one process, never lost, encrypted in your storage. */
export function createCore({
  config,
  keyValue,
  emit,
  now,
}: {
  config: Config;
  keyValue: KeyValue;
  emit: Emit;
  now: () => number;
}) {
  const { getbill, refreshMarginMs: marginMs, tokenEncryptionKeys } = config;
  const cipher = createCipher(tokenEncryptionKeys.reveal());
  const fingerprint = (id: string) => createHash('sha256').update(id).digest('base64url').slice(0, 8); // for events
  const clocks = { now, monotonicMs: () => performance.now(), sleep: (ms: number) => delay(ms) };
  const shared = { keyValue, cipher, emit, fingerprint, ...clocks };

  const upstream = createUpstream({ config: getbill, emit });
  const tokenEndpoint = createTokenEndpoint({ provider: getbill, send: upstream.send, ...shared });
  const signIn = createSignIn({
    provider: getbill,
    pendingLogins: createPendingLogins(shared),
    tokenEndpoint,
    ...shared,
  });
  const tokens = createTokens({
    ...shared,
    clock: clocks,
    renewWith: ({ refreshToken = '' }) => tokenEndpoint.refresh(refreshToken),
    revoke: getbill.revokeUrl && tokenEndpoint.revoke,
    timeoutMs: getbill.timeoutMs,
    marginMs,
    renewalsPerMinute: 600,
  });
  return { signIn, tokens, close: () => tokens.idle().then(upstream.close) };
}
