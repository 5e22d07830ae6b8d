import { Router, type Response } from 'express';
import { bodyOf } from '../bodies.js';
import { contentSecurityPolicy, type RenderPage } from '../pages.js';
import { accountId } from './policy.js';
import type { AuthorizationServer } from './provider.js';
import { scopeTexts, splitScopes } from './scopes.js';

const companyCookie = 'sandbox_company';

export interface ConsentDeps {
  server: AuthorizationServer;
  companies: readonly { id: string; name: string; email: string; about: string }[];
  appUrl: string;
  renderPage: RenderPage;
}

/** One page: which company, which scopes, allow or deny. Works without scripts. */
export function createConsentRouter({
  server,
  companies,
  appUrl,
  renderPage,
}: ConsentDeps): Router {
  const { provider } = server;
  const router = Router();

  router.get('/:uid', async (req, res) => {
    const { uid, params, session } = await provider.interactionDetails(req, res);
    const remembered = /(?:^|; )sandbox_company=([^;]+)/.exec(req.headers.cookie ?? '')?.[1];
    const redirectOrigin = new URL(String(params['redirect_uri'])).origin;
    const html = await renderPage('consent', {
      action: `${req.baseUrl}/${uid}`,
      companies,
      selectedCompanyId: companies.find(({ id }) => id === remembered)?.id ?? companies[0]?.id,
      signedIn: session?.accountId !== undefined && remembered !== undefined,
      clientId: params['client_id'],
      request: Object.entries(params).flatMap(([name, value]) =>
        typeof value === 'string'
          ? [{ name, value: masked(name, value), meaning: meanings[name] ?? '' }]
          : [],
      ),
      redirectHost: new URL(redirectOrigin).host,
      scopes: splitScopes(params['scope'] as string).map((name) => ({
        name,
        text: scopeTexts[name] ?? name,
      })),
    });
    // Browsers hold the redirects that follow a form to form-action, so the app's origin has to be
    // in it.
    const formTargets = [...new Set([redirectOrigin, new URL(appUrl).origin])];
    res
      .set('content-security-policy', contentSecurityPolicy({ formTargets }))
      .type('html')
      .send(html);
  });

  router.post('/:uid', async (req, res) => {
    const { params } = await provider.interactionDetails(req, res);
    const form = new URLSearchParams(bodyOf(req).toString());
    const requested = splitScopes(params['scope'] as string);
    const scopes = form.getAll('scope').filter((scope) => requested.includes(scope));
    const company = companies.find(({ id }) => id === form.get('company'));
    if (form.get('decision') !== 'allow' || scopes.length === 0 || company === undefined) {
      const denial = {
        error: 'access_denied',
        error_description: 'The resource owner denied the request.',
      };
      return provider.interactionFinished(req, res, denial);
    }
    rememberCompany(res, company.id);
    const grantId = await server.grant({
      companyId: company.id,
      clientId: String(params['client_id']),
      scopes,
      requestedScopes: requested,
    });
    const result = { login: { accountId }, consent: { grantId } };
    return provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
  });
  return router;
}

/** What each parameter of the authorization request is for. */
const meanings: Readonly<Record<string, string>> = {
  response_type:
    'a code, to be exchanged for tokens by the server of the app (RFC 6749 section 4.1.1)',
  client_id: 'which app is asking',
  redirect_uri: 'where you return to; it must be registered',
  scope: 'what the app asks for',
  state: 'comes back unchanged, so that nobody can slip in a callback of another sign-in',
  code_challenge:
    'a hash of a value that only the app knows: the code is worth nothing without it (RFC 7636)',
  code_challenge_method: 'how it was hashed',
};

/** The beginning is enough to recognize a value. */
const masked = (name: string, value: string): string =>
  ['state', 'code_challenge', 'nonce'].includes(name) ? `${value.slice(0, 6)}…` : value;

function rememberCompany(res: Response, companyId: string): void {
  res.cookie(companyCookie, companyId, { httpOnly: true, sameSite: 'lax', path: '/oauth' });
}
