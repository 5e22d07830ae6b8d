import { Router, type Response } from 'express';
import { bodyOf } from '../bodies.js';
import { contentSecurityPolicy, type RenderPage } from '../pages.js';
import { accountId } from './policy.js';
import type { AuthorizationServer } from './provider.js';
import { scopeTexts, splitScopes } from './scopes.js';

const companyCookie = 'sandbox_company';

export interface ConsentDeps {
  server: AuthorizationServer;
  companies: readonly { id: string; name: string }[];
  appUrl: string;
  renderPage: RenderPage;
}

/** One page: which company, which scopes, allow or deny. Works without scripts. */
export function createConsentRouter({ server, companies, appUrl, renderPage }: ConsentDeps): Router {
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
      redirectHost: new URL(redirectOrigin).host,
      scopes: splitScopes(params['scope'] as string).map((name) => ({ name, text: scopeTexts[name] ?? name })),
    });
    // Browsers hold the redirects that follow a form to form-action, so the app's origin has to be in it.
    const formTargets = [...new Set([redirectOrigin, new URL(appUrl).origin])];
    res.set('content-security-policy', contentSecurityPolicy({ formTargets })).type('html').send(html);
  });

  router.post('/:uid', async (req, res) => {
    const { params } = await provider.interactionDetails(req, res);
    const form = new URLSearchParams(bodyOf(req).toString());
    const requested = splitScopes(params['scope'] as string);
    const scopes = form.getAll('scope').filter((scope) => requested.includes(scope));
    const company = companies.find(({ id }) => id === form.get('company'));
    if (form.get('decision') !== 'allow' || scopes.length === 0 || company === undefined) {
      const denial = { error: 'access_denied', error_description: 'The resource owner denied the request.' };
      return provider.interactionFinished(req, res, denial);
    }
    rememberCompany(res, company.id);
    const grantId = await server.grant({ companyId: company.id, clientId: String(params['client_id']), scopes });
    const result = { login: { accountId }, consent: { grantId } };
    return provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
  });
  return router;
}

function rememberCompany(res: Response, companyId: string): void {
  res.cookie(companyCookie, companyId, { httpOnly: true, sameSite: 'lax', path: '/oauth' });
}
