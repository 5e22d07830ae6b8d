/** All that the core is told about the authorization server and the client registered there. */
export interface Provider {
  readonly authorizeUrl: URL;
  readonly tokenUrl: URL;
  readonly clientId: string;
  /** Wrapped, so that no log prints them. While secrets are rotated: two, the first tried first. */
  readonly clientSecrets: readonly { reveal(): string }[];
  /** Text, not a URL: it must equal a registered URI byte for byte. */
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** With it, an authorization response must carry the same "iss" (RFC 9207). */
  readonly issuer?: string | undefined;
  /** RFC 7009; without it nothing is revoked. */
  readonly revokeUrl?: URL | undefined;
  /** How long one token call may take; 10 seconds by default. */
  readonly timeoutMs?: number | undefined;
  /** How long before its end a token is renewed; a minute by default. */
  readonly marginMs?: number | undefined;
}

export const DEFAULT_TIMEOUT_MS = 10_000;

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** @throws {TypeError} an option is missing or of another type, as where no variable is set. */
export function assertProvider(provider: Partial<Provider> = {}): void {
  const { authorizeUrl, tokenUrl, revokeUrl = tokenUrl, scopes, clientSecrets } = provider;
  const { clientId, redirectUri, issuer = clientId } = provider; // may be absent
  for (const [name, value] of Object.entries<unknown>({ authorizeUrl, tokenUrl, revokeUrl }))
    if (!(value instanceof URL)) throw new TypeError(`"provider.${name}" is not a URL`);
  for (const [name, value] of Object.entries({ clientId, redirectUri, issuer }))
    if (!isText(value)) throw new TypeError(`"provider.${name}" is missing, or no text`);
  if (!Array.isArray(scopes) || !scopes.every(isText))
    throw new TypeError('"provider.scopes" is not a list of texts');
  const isSecret = (one: { reveal?(): string } | null) => isText(one?.reveal?.());
  if (!Array.isArray(clientSecrets) || !clientSecrets[0] || !clientSecrets.every(isSecret))
    throw new TypeError('"provider.clientSecrets" is empty, or one does not reveal() a secret');
}
