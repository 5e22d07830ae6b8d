import type { GetbillConfig } from '../../config/config.js';
import { createAuthorizationRequest } from '../../core/oauth/authorization.js';
import { redirectOf, type Ask, type HttpResponse } from './ask.js';
import type { AuthorizationOutcome } from './check.js';

export interface Asker {
  readonly config: GetbillConfig;
  readonly ask: Ask;
}

const NOBODYS_REDIRECT_URI = 'https://registered-nowhere.invalid/oauth/callback';

export async function tryAuthorization(asker: Asker): Promise<AuthorizationOutcome> {
  const ours = await tryRedirectUri(asker.config.redirectUri, asker);
  if (ours.kind !== 'sent_on') return ours;
  const { kind } = await tryRedirectUri(NOBODYS_REDIRECT_URI, asker);
  return { kind: 'sent_on', proven: kind === 'refused' };
}

export async function tryRedirectUri(
  redirectUri: string,
  { config, ask }: Asker,
): Promise<AuthorizationOutcome> {
  const { url } = await createAuthorizationRequest({ ...config, redirectUri });
  try {
    const response = await ask(url, { headers: { accept: 'text/html' } });
    return judgeAuthorization(response, url, redirectUri);
  } catch (error) {
    return { kind: 'none', error };
  }
}

function judgeAuthorization(
  response: HttpResponse,
  asked: URL,
  redirectUri: string,
): AuthorizationOutcome {
  const { status, text } = response;
  const target = redirectOf(response, asked);
  if (target?.href.split('?')[0] === redirectUri.split('?')[0]) {
    return { kind: 'responded', error: target?.searchParams.get('error') ?? undefined };
  }
  if (status === 408 || status === 429 || status >= 500) return { kind: 'none', error: undefined };
  const [code] = (status >= 400 ? ANY_CODE : REDIRECT_CODE).exec(text) ?? [];
  if (status >= 400 || code !== undefined) return { kind: 'refused', status, code };
  return { kind: 'sent_on', proven: false };
}

/** An error page is for people: only the codes of RFC 6749 and of GetBill can be read from it. */
const REDIRECT_CODE = /\b(redirect_uri_mismatch|invalid_redirect_uri)\b/;
const ANY_CODE =
  /\b(redirect_uri_mismatch|invalid_redirect_uri|invalid_client|unauthorized_client|invalid_scope|invalid_request)\b/;

/** True when the server looked at the client and found it, whatever else it said. */
export const knowsClient = (outcome: AuthorizationOutcome): boolean =>
  (outcome.kind === 'sent_on' && outcome.proven) ||
  (outcome.kind === 'responded' && outcome.error !== 'invalid_client') ||
  (outcome.kind === 'refused' && REDIRECT_CODE.test(outcome.code ?? ''));
