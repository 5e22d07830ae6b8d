import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, RequestHandler, Response } from 'express';
import type { ApiToken, Grants } from '../authorization-server/grants.js';
import { bodyOf } from '../bodies.js';
import type { SandboxContext } from '../context.js';
import type { ApiFault } from '../faults.js';
import { companyRoutes } from './company-routes.js';
import { createResponseCache } from './response-cache.js';
import type { CompanyData } from './data/types.js';
import { debtRoutes } from './debt-routes.js';
import { failure, missingScope, notFound, unauthorized, type ApiResponse } from './envelope.js';
import { followupRoutes } from './followup-routes.js';
import { partyRoutes } from './party-routes.js';
import { createLimits, isWrite, limitHeaders } from './limits.js';
import type { RateLimiter } from './rate-limit.js';
import { matchRoute, type ApiCall, type Route } from './route.js';
import { respondInstead, sendResponse } from './send.js';
import { webhooksOf } from '../webhooks/changes.js';

const routes = [...companyRoutes, ...debtRoutes, ...partyRoutes, ...followupRoutes];

export interface ApiDeps extends SandboxContext {
  grants: Grants;
  /** Made when first asked for. */
  companies: () => readonly CompanyData[];
  limiter: RateLimiter;
}

/** Everything below /external-api/v1. */
export function createApiHandler(deps: ApiDeps): RequestHandler {
  const { faults, counters, gate, clock, client, grants } = deps;
  const limits = createLimits(deps);
  const cache = createResponseCache();
  let cachedCompanies: readonly CompanyData[] | undefined;
  function responseTo(req: Request, res: Response, fault: ApiFault | undefined): ApiResponse {
    const token = fault?.mode === 'unauthorized' ? undefined : tokenOf(req, grants);
    const state = limits.check(req.method, token?.clientId ?? client.clientId, {
      count: token !== undefined,
    });
    res.set(limitHeaders(state));
    if (token === undefined) return unauthorized();
    if (fault?.mode === 'rateLimited') {
      if (fault.header === true) res.set('retry-after', String(fault.retryAfterS));
      return limits.refuse(res, { limit: state.limit, retryAfterS: fault.retryAfterS });
    }
    if (!state.allowed) {
      const retryAfterS = Math.max(1, Math.ceil((state.resetAtMs - clock()) / 1000));
      return limits.refuse(res, { limit: state.limit, retryAfterS });
    }
    return call(req, token);
  }

  function call(req: Request, token: ApiToken): ApiResponse {
    const match = matchRoute(routes, req.method, req.path);
    if (match === 'no such path') return notFound('Resource');
    if (match === 'no such method') return failure(405, 'Method not allowed');
    if (!token.scopes.includes(match.route.scope)) return missingScope(match.route.scope);
    const companies = deps.companies();
    if (companies !== cachedCompanies) cache.clear(); // the sandbox was reset
    cachedCompanies = companies;
    const company = companies.find(({ profile }) => profile.id === token.companyId);
    if (company === undefined) return unauthorized();
    const body = jsonObject(bodyOf(req));
    if (body === undefined) return failure(400, 'Invalid JSON');
    const { route, id } = match;
    const apiCall: ApiCall = {
      id,
      query: new URL(req.url, 'http://sandbox').searchParams,
      body,
      company,
      companies,
      faults: faults.current(),
      nowMs: clock(),
      newId: () => randomBytes(16).toString('base64url'),
    };
    if (isWrite(req.method)) {
      cache.clear();
      return writeAndTell(route, apiCall);
    }
    if (route.changing === true) return route.handle(apiCall);
    const key = `${token.companyId} ${apiCall.faults.limitAbove100} ${req.url}`;
    return cache.get(key, () => route.handle(apiCall));
  }

  /** A write becomes a webhook, as at GetBill. */
  function writeAndTell(route: Route, apiCall: ApiCall): ApiResponse {
    const { company, id } = apiCall;
    const debtOf = (debtId: string) => company.debts.get(debtId)?.debt;
    const statusBefore = debtOf(id)?.status;
    const response = route.handle(apiCall);
    for (const { type, data } of webhooksOf(route, response, { statusBefore, debtOf }))
      deps.webhooks.changed(company.profile.id, type, data);
    return response;
  }

  return async function apiMiddleware(req, res) {
    const count = counters();
    count.apiCalls += 1;
    count.apiByPath[req.path] = (count.apiByPath[req.path] ?? 0) + 1;
    const fault = faults.take(
      'api',
      ({ path = '', method = req.method }) =>
        req.path.startsWith(path) && method.toUpperCase() === req.method,
    );
    if (fault?.mode === 'slow') await sleep(fault.ms);
    if (fault?.mode === 'hold') await gate.wait();
    if (fault !== undefined && respondInstead(res, fault)) return;
    const response = responseTo(req, res, fault);
    if (response.status === 401) counters().apiUnauthorized += 1;
    sendResponse(res, response, fault);
  };
}

function tokenOf(req: Request, grants: Grants): ApiToken | undefined {
  const token = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
  return token === undefined ? undefined : grants.apiToken(token);
}

/** {} for no body; undefined for what is not a JSON object. */
function jsonObject(body: Buffer): Record<string, unknown> | undefined {
  if (body.length === 0) return {};
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
