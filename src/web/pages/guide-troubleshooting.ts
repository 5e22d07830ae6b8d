/** An entry of "Troubleshooting" in GetBill's guide to OAuth, in its own words. */
export interface GuideEntry {
  readonly cause: string;
  readonly solutions: readonly string[];
}

const invalidGrant: GuideEntry = {
  cause: 'Invalid authorization code or expired refresh token',
  solutions: [
    'Ensure the authorization code is used immediately',
    'Don’t reuse authorization codes',
    'Handle refresh token expiration by re-authenticating',
  ],
};

/** Keyed by our error codes. */
const entries: Readonly<Record<string, GuideEntry>> = {
  invalid_client: {
    cause: 'Incorrect client ID or secret',
    solutions: [
      'Double-check your client credentials',
      'Ensure you’re using the correct environment (test vs production)',
      'Verify the client is active in your dashboard',
    ],
  },
  invalid_scope: {
    cause: 'Requesting scopes not granted to your client',
    solutions: [
      'Check your client configuration in the dashboard',
      'Request only the scopes you need',
      'Contact support if you need additional scopes',
    ],
  },
  invalid_grant: invalidGrant,
  code_refused: invalidGrant,
  grant_ended: invalidGrant,
  grant_refused: invalidGrant,
  redirect_uri_mismatch: {
    cause: 'Redirect URI doesn’t match registered URI',
    solutions: [
      'Ensure exact match including protocol, domain, and path',
      'Register all redirect URIs you plan to use',
      'Use localhost for development testing',
    ],
  },
};

export const guideEntryOf = (code: string): GuideEntry | undefined =>
  Object.hasOwn(entries, code) ? entries[code] : undefined;
