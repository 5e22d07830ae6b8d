/** The one OAuth client that is registered here, as GetBill's dashboard would hold it. */
export interface RegisteredClient {
  clientId: string;
  /** Any of them is accepted: a secret that is being rotated. */
  secrets: string[];
  redirectUris: string[];
  /** What it may ask for. */
  scopes: string[];
  active: boolean;
}

/** @throws {Error} not an absolute http(s) URL, or one with a fragment. */
export function assertRedirectUri(uri: string): void {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || uri.includes('#')) {
    throw new Error(`uri: "${uri}" is not an absolute http(s) URL without a fragment`);
  }
}

/** @throws {Error} an empty list or an empty secret. */
export function assertSecrets(secrets: readonly string[]): void {
  if (secrets.length === 0 || secrets.some((secret) => secret === '')) {
    throw new Error('secrets: at least one, none of them empty');
  }
}
