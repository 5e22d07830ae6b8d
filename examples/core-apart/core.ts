import { createOAuthClient, systemClock, type Clock, type KeyValue, type OAuthClient } from '../../src/core/index.js';

/** Sign-in and token lifecycle without our pages and sessions: renewed once, by one process, never lost, encrypted in your storage. */
export function createCore(options: {
  getbillUrl: URL;
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  storage: KeyValue;
  encryptionKey: Buffer;
  clock?: Clock;
}): OAuthClient {
  const { clientId, clientSecret, redirectUri, getbillUrl, storage, encryptionKey, clock = systemClock } = options;
  return createOAuthClient({
    provider: {
      authorizeUrl: new URL('/oauth/authorize', getbillUrl),
      tokenUrl: new URL('/oauth/token', getbillUrl),
      clientId,
      clientSecrets: [{ reveal: () => clientSecret }],
      redirectUri,
      scopes: ['company:read'],
    },
    storage,
    encryptionKeys: [encryptionKey],
    clock,
  });
}
