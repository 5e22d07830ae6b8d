/**
 * Every call the app may make to the GetBill API, and the scope it needs. Adding a line here is
 * adding it to `/api`.
 */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly scope: string;
}

export const endpoints: readonly Endpoint[] = [
  { method: 'GET', path: '/company/profile', scope: 'company:read' },
  { method: 'GET', path: '/company/credits', scope: 'company:read' },
  { method: 'GET', path: '/company/users', scope: 'users:read' },
  { method: 'GET', path: '/debts', scope: 'debts:read' },
  { method: 'POST', path: '/debts', scope: 'debts:write' },
  { method: 'POST', path: '/debts/batch', scope: 'debts:write' },
  { method: 'GET', path: '/debts/by-debtor/{id}', scope: 'debts:read' },
  { method: 'GET', path: '/debts/by-creditor/{id}', scope: 'debts:read' },
  { method: 'GET', path: '/debts/{id}', scope: 'debts:read' },
  { method: 'PUT', path: '/debts/{id}', scope: 'debts:write' },
  { method: 'DELETE', path: '/debts/{id}', scope: 'debts:write' },
  { method: 'GET', path: '/debtors', scope: 'debtors:read' },
  { method: 'GET', path: '/debtors/{id}', scope: 'debtors:read' },
  { method: 'PUT', path: '/debtors/{id}', scope: 'debtors:write' },
  { method: 'GET', path: '/creditors', scope: 'creditors:read' },
  { method: 'GET', path: '/creditors/{id}', scope: 'creditors:read' },
  { method: 'PUT', path: '/creditors/{id}', scope: 'creditors:write' },
  { method: 'PATCH', path: '/creditors/{id}', scope: 'creditors:write' },
  { method: 'GET', path: '/followups', scope: 'followups:read' },
  { method: 'POST', path: '/followups', scope: 'followups:write' },
  { method: 'GET', path: '/followups/debt/{id}', scope: 'followups:read' },
  { method: 'GET', path: '/followups/{id}', scope: 'followups:read' },
  { method: 'PUT', path: '/followups/{id}', scope: 'followups:write' },
  { method: 'GET', path: '/reports', scope: 'reports:read' },
  { method: 'GET', path: '/reports/download/{id}', scope: 'reports:read' },
  { method: 'GET', path: '/reports/{id}', scope: 'reports:read' },
];

const paths = [...new Set(endpoints.map(({ path }) => path))].map((template) => ({
  // GetBill's ids are opaque and URL-safe. Nothing is decoded: a path with "%", "\" or ".." matches
  // no line.
  pattern: new RegExp(`^${template.replaceAll('{id}', '[A-Za-z0-9_-]{1,128}')}$`),
  endpoints: endpoints.filter(({ path }) => path === template),
}));

/** The endpoint of a raw, undecoded path; or which methods the path does have (empty: none). */
export function matchEndpoint(
  method: string,
  path: string,
): { endpoint: Endpoint } | { allow: readonly string[] } {
  // A literal path shadows an id of the same spelling for every method: "/debts/batch" is never a
  // debt.
  const here = paths.find(({ pattern }) => pattern.test(path))?.endpoints ?? [];
  const endpoint = here.find((candidate) => candidate.method === method);
  return endpoint === undefined
    ? { allow: here.map((candidate) => candidate.method) }
    : { endpoint };
}

/** GetBill counts reads and writes apart. */
export type LimitClass = 'read' | 'write';

export const limitClassOf = ({ method }: Endpoint): LimitClass =>
  method === 'GET' ? 'read' : 'write';
