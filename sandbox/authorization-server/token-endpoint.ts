import { setTimeout as sleep } from 'node:timers/promises';
import type { IncomingMessage } from 'node:http';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { dropConnection, respond, respondWith, respondWithPage } from '../respond.js';
import type { SandboxContext } from '../context.js';
import type { Grants } from './grants.js';
import type { GrantType, TokenFault } from '../faults.js';

type KoaMiddleware = Parameters<Provider['use']>[0];
type KoaContext = Parameters<KoaMiddleware>[0];
type JsonObject = Record<string, unknown>;

/**
 * Counts token calls, applies token faults around the work and gives the response GetBill's shape.
 */
export function tokenEndpoint(
  {
    faults,
    counters,
    gate,
    grants,
  }: Pick<SandboxContext, 'faults' | 'counters' | 'gate'> & { grants: Pick<Grants, 'isComplete'> },
  rawBodyOf: (req: IncomingMessage) => string,
): KoaMiddleware {
  function shape(ctx: KoaContext, grantType: string): void {
    const { refusalStyle } = faults.current();
    const body = ctx.body as JsonObject;
    if (ctx.status === 200 && !namesScope(ctx, body)) delete body['scope'];
    if (
      refusalStyle === 'league' &&
      grantType === 'refresh_token' &&
      body['error'] === 'invalid_grant'
    ) {
      ctx.status = 401;
      ctx.body = {
        error: 'invalid_request',
        error_description: 'The refresh token is invalid.',
        hint: 'Token has been revoked',
        message: 'The refresh token is invalid.',
      };
    }
  }

  /** By default as RFC 6749 section 5.1 requires: when it is not what the app asked for. */
  function namesScope(ctx: KoaContext, { scope }: JsonObject): boolean {
    const { scopeInTokenResponse } = faults.current();
    if (scopeInTokenResponse !== 'ifLess') return scopeInTokenResponse === 'always';
    const { oidc } = ctx as KoaContextWithOIDC;
    const grantId = oidc.entities.AuthorizationCode?.grantId;
    return grantId !== undefined && !grants.isComplete(grantId, String(scope));
  }

  return async function tokenEndpointMiddleware(ctx, next) {
    if (ctx.method !== 'POST' || ctx.path !== '/oauth/token') {
      await next();
      return;
    }
    const grantType = new URLSearchParams(rawBodyOf(ctx.req)).get('grant_type') ?? '';
    const count = counters();
    count.tokenCalls += 1;
    if (grantType in count.tokenByGrant) count.tokenByGrant[grantType as GrantType] += 1;
    const fault = faults.take(
      'token',
      ({ grantType: only }) => only === undefined || only === grantType,
    );
    if (fault?.mode === 'delay') await sleep(fault.ms);
    if (fault?.mode === 'hold') await gate.wait();
    if (fault !== undefined && respondInstead(ctx, fault)) {
      ctx.respond = false;
      return;
    }
    await next();
    withoutCors(ctx);
    shape(ctx, grantType);
    if (fault?.mode === 'holdAnswer') await gate.wait();
    if (fault !== undefined) changeResponse(ctx, fault);
  };
}

/** oidc-provider would let any site read this; nothing says that GetBill does. */
function withoutCors(ctx: KoaContext): void {
  ctx.remove('access-control-allow-origin');
  ctx.remove('access-control-expose-headers');
  ctx.remove('vary');
}

/** Responds (or does not) in place of the work; `false`: the work is to be done. */
function respondInstead({ res }: KoaContext, fault: TokenFault): boolean {
  switch (fault.mode) {
    case 'hang':
      return true;
    case 'drop':
      dropConnection(res);
      return true;
    case 'status':
      respondWith(res, fault);
      return true;
    case 'html':
      respondWithPage(res, fault.status);
      return true;
    case 'garbage':
      respond(
        res,
        200,
        { 'content-type': 'application/json' },
        '{"access_token": "abc", "token_type":',
      );
      return true;
    case 'redirect':
      respond(res, fault.status, { location: fault.location });
      return true;
    case 'rawBody':
      respond(res, fault.status, { 'content-type': fault.contentType }, fault.body);
      return true;
    case 'delay':
    case 'hold':
    case 'holdAnswer':
    case 'commitThenDrop':
    case 'tooBig':
    case 'body':
      return false;
  }
}

/** Faults in the response to work that is done. */
function changeResponse(ctx: KoaContext, fault: TokenFault): void {
  if (fault.mode === 'commitThenDrop') {
    ctx.respond = false;
    dropConnection(ctx.res);
  }
  if (ctx.status !== 200) return;
  if (fault.mode === 'tooBig')
    ctx.body = { ...(ctx.body as JsonObject), padding: 'x'.repeat(fault.bytes) };
  if (fault.mode === 'body') {
    const changed = { ...(ctx.body as JsonObject), ...fault.override };
    ctx.body = Object.fromEntries(
      Object.entries(changed).filter(([name]) => !fault.remove?.includes(name)),
    );
  }
}
