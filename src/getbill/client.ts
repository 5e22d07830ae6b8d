import { UndocumentedCallError } from '../errors.js';
import type { CallSignal } from './call-signal.js';
import { limitClassOf, matchEndpoint, type Endpoint } from './endpoints.js';
import { unwrapItem, unwrapList, unwrapNested, unwrapPage } from './envelope.js';
import type { Access, Forward } from './api-call.js';
import { MAX_PER_PAGE } from './pagination.js';
import type { Caller } from './quota.js';
import { readJson } from './read-json.js';
import type * as T from './types.js';
import { withKnownOutcome } from './write-outcome.js';
import { createWrites, type GetbillWrites } from './writes.js';

export interface CallOptions {
  /** As text it is sent as it stands, without its `?`. */
  readonly query?: string | Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/**
 * The documented reads and writes of the GetBill API, typed, and any documented call.
 * @throws {GetbillApiError} the API said no: `status` 401, 403, 404, 422, 429 ...
 * @throws {UnavailableError} no usable response. Both in every method.
 */
export interface GetbillClient extends GetbillWrites {
  /**
   * Any documented call, its JSON as GetBill sends it: `call('POST', '/followups', { body })`. A
   * write is sent once, and once more only after a 401, which GetBill answers before it does
   * anything.
   */
  call(method: string, path: string, options?: CallOptions): Promise<unknown>;
  companyProfile(): Promise<T.CompanyProfile>;
  credits(): Promise<T.Credits>;
  users(): Promise<readonly T.User[]>;
  debts(request?: T.PageRequest): Promise<T.Page<T.Debt>>;
  debtsOfDebtor(debtorId: string, request?: T.PageRequest): Promise<T.Page<T.Debt>>;
  debtsOfCreditor(creditorId: string, request?: T.PageRequest): Promise<T.Page<T.Debt>>;
  debt(id: string): Promise<T.Debt>;
  followups(request?: T.PageRequest): Promise<T.Page<T.Followup>>;
  followup(id: string): Promise<T.Followup>;
  followupsOfDebt(debtId: string, request?: T.PageRequest): Promise<T.Page<T.Followup>>;
  debtors(request?: T.PageRequest): Promise<T.Page<T.Party>>;
  debtor(id: string): Promise<T.Party>;
  creditors(request?: T.PageRequest): Promise<T.Page<T.Party>>;
  creditor(id: string): Promise<T.Party>;
  reports(request?: T.PageRequest): Promise<T.Page<T.Report>>;
  report(id: string): Promise<T.Report>;
  /** The link to its file, good for an hour. */
  reportDownload(id: string): Promise<T.ReportDownload>;
}

/** @throws {UndocumentedCallError} */
export function documentedEndpoint(method: string, path: string): Endpoint {
  const match = matchEndpoint(method, path);
  if ('endpoint' in match) return match.endpoint;
  const others = match.allow.length === 0 ? '' : `; this path has ${match.allow.join(', ')}`;
  const slash = path.startsWith('/') ? '' : '; a path begins with "/"';
  throw new UndocumentedCallError({
    status: 404,
    message: `no such endpoint or a malformed id${others}${slash}`,
  });
}

export function createGetbillClient({
  forward,
  accessFor,
  requestId,
  caller = 'page',
  signal,
}: {
  forward: Forward;
  /** Asked before every call, with the scope it needs: a long job outlives a token. */
  accessFor: (scope: string) => Access | Promise<Access>;
  requestId: string;
  caller?: Caller;
  /** Aborted when nobody waits for the responses any more. */
  signal?: CallSignal;
}): GetbillClient {
  async function call(method: string, path: string, options?: CallOptions): Promise<unknown> {
    return await callAndRead(method, path, options, (json) => json);
  }

  async function callAndRead<Result>(
    method: string,
    path: string,
    { query = {}, body }: CallOptions = {},
    read: (json: unknown) => Result,
  ): Promise<Result> {
    const endpoint = documentedEndpoint(method, path);
    const search = typeof query === 'string' ? query : new URLSearchParams(query).toString();
    const request = {
      endpoint,
      path,
      query: search === '' ? '' : `?${search}`,
      body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
      requestId,
      caller,
      signal,
    };
    const send = async (access: Access): Promise<Result> => {
      const response = await forward(request, access);
      return read(await readJson(response));
    };
    const access = await accessFor(endpoint.scope);
    return limitClassOf(endpoint) === 'read'
      ? await send(access)
      : await withKnownOutcome(access, send);
  }
  function get(path: string, { page, limit, status, type }: T.PageRequest = {}): Promise<unknown> {
    const parameters = new URLSearchParams();
    if (page !== undefined) parameters.set('page', String(page));
    if (limit !== undefined) parameters.set('limit', String(limit));
    if (status !== undefined) parameters.set('status', status);
    if (type !== undefined) parameters.set('type', type);
    return call('GET', path, { query: Object.fromEntries(parameters) });
  }
  const item = async <Item>(path: string): Promise<Item> => unwrapItem(await get(path)) as Item;
  async function page<Item>(path: string, request: T.PageRequest = {}): Promise<T.Page<Item>> {
    const { limit } = request;
    const asked =
      limit === undefined ? request : { ...request, limit: Math.min(limit, MAX_PER_PAGE) };
    return unwrapPage<Item>(await get(path, asked), asked);
  }
  const nested = async <Item>(path: string): Promise<Item> => unwrapNested(await get(path)) as Item;

  return {
    call,
    ...createWrites((method, path, body, read) => callAndRead(method, path, { body }, read)),
    companyProfile: () => item('/company/profile'),
    credits: () => item('/company/credits'),
    users: async () => unwrapList(await get('/company/users')).items as T.User[],
    debts: (request) => page('/debts', request),
    debtsOfDebtor: (debtorId, request) => page(`/debts/by-debtor/${debtorId}`, request),
    debtsOfCreditor: (creditorId, request) => page(`/debts/by-creditor/${creditorId}`, request),
    debt: (id) => item(`/debts/${id}`),
    followups: (request) => page('/followups', request),
    followup: (id) => item(`/followups/${id}`),
    followupsOfDebt: (debtId, request) => page(`/followups/debt/${debtId}`, request),
    debtors: (request) => page('/debtors', request),
    debtor: (id) => nested(`/debtors/${id}`),
    creditors: (request) => page('/creditors', request),
    creditor: (id) => nested(`/creditors/${id}`),
    reports: (request) => page('/reports', request),
    report: (id) => item(`/reports/${id}`),
    reportDownload: (id) => item(`/reports/download/${id}`),
  };
}
