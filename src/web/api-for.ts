import type { Request, Response } from 'express';
import { createGetbillClient, type GetbillClient } from '../getbill/client.js';
import type { Forward } from '../getbill/api-call.js';
import { accessOf, type AccessDeps } from './access.js';
import { leftSignal } from './left-signal.js';
import { loadPart, type Part } from './pages/part.js';

/** The dependencies of a page's handler. */
export interface PageDeps {
  readonly forward: Forward;
  readonly access: AccessDeps;
  readonly now: () => number;
}

export interface PageApi {
  /** GetBill, with the access token of the person who reads the page, until they leave it. */
  readonly client: GetbillClient;
  /** The same, for what is kept for the next page: it goes on when they have left. */
  readonly lastingClient: GetbillClient;
  /** Loads one part of the page; `scope` is what it needs. */
  readonly part: <Data>(scope: string, load: () => Promise<Data>) => Promise<Part<Data>>;
}

/** The API for the handler of a page that is behind a sign-in. */
export function apiFor(
  req: Pick<Request, 'ip'>,
  res: Response,
  { forward, access }: Pick<PageDeps, 'forward' | 'access'>,
): PageApi {
  const mine = accessOf(req, res, access);
  const options = { forward, accessFor: () => mine, requestId: res.locals.requestId };
  return {
    client: createGetbillClient({ ...options, signal: leftSignal(res) }),
    lastingClient: createGetbillClient(options),
    part: (scope, load) => loadPart(scope, load, res),
  };
}
