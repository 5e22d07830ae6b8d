/** The authorization server, and the client that is registered there: all that the core is told about them. */
export interface Provider {
  readonly authorizeUrl: URL;
  readonly tokenUrl: URL;
  readonly clientId: string;
  /** Each wrapped, so that no log prints it. While secrets are rotated there are two: the first is tried first. */
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
}

export const DEFAULT_TIMEOUT_MS = 10_000;

/** @throws {TypeError} an option is missing or of another type, as when a variable of the environment is not set. */
export function assertProvider(provider: Partial<Provider> = {}): void {
  const secrets: { reveal?(): string }[] = [...(provider.clientSecrets ?? [])];
  for (const name of ['authorizeUrl', 'tokenUrl'] as const)
    if (!(provider[name] instanceof URL)) throw new TypeError(`"provider.${name}" is not a URL`);
  for (const name of ['clientId', 'redirectUri'] as const)
    if (!provider[name]) throw new TypeError(`"provider.${name}" is missing`);
  if (!Array.isArray(provider.scopes)) throw new TypeError('"provider.scopes" is not a list');
  if (secrets.length === 0 || !secrets.every((secret) => secret.reveal?.()))
    throw new TypeError('"provider.clientSecrets" is empty, or one does not reveal() a secret');
}
