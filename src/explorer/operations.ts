import { endpoints, limitClassOf, type Endpoint, type LimitClass } from '../getbill/endpoints.js';
import { documentation, type Documentation, type Parameter } from './documentation.js';

/** One endpoint of the allow-list, as the explorer offers it. */
export interface Operation {
  readonly endpoint: Endpoint;
  /** Its place in addresses: "get-debts-id". */
  readonly slug: string;
  readonly title: string;
  readonly group: string;
  readonly limitClass: LimitClass;
  /** The meaning of `{id}` in the path; `undefined` without one. */
  readonly id: string | undefined;
  readonly query: readonly Parameter[];
  /** The example as JSON; `undefined` for an operation without a body. */
  readonly body: string | undefined;
  readonly note: string | undefined;
}

const GROUPS: Readonly<Record<string, string>> = {
  company: 'Company',
  debts: 'Debts',
  debtors: 'Debtors',
  creditors: 'Creditors',
  followups: 'Follow-ups',
  reports: 'Reports',
};

/** An endpoint that is on the allow-list and not documented here can be sent as well. */
function operationOf(endpoint: Endpoint): Operation {
  const { method, path } = endpoint;
  const name = `${method} ${path}`;
  const documented: Documentation = documentation[name] ?? { title: name };
  const [, segment = ''] = path.split('/');
  const hasBody = method !== 'GET' && method !== 'DELETE';
  return {
    endpoint,
    slug: name
      .toLowerCase()
      .replaceAll(/[^a-z]+/g, '-')
      .replace(/-$/, ''),
    title: documented.title,
    group: GROUPS[segment] ?? segment,
    limitClass: limitClassOf(endpoint),
    id: path.includes('{id}') ? (documented.id ?? 'Id') : undefined,
    query: documented.query ?? [],
    body: hasBody ? JSON.stringify(documented.body ?? {}, undefined, 2) : undefined,
    note: documented.note,
  };
}

/** In the order of the allow-list. */
export const operations: readonly Operation[] = endpoints.map(operationOf);

export const findOperation = (slug: string): Operation | undefined =>
  operations.find((operation) => operation.slug === slug);

/** The operation that reads one of what a list lists. */
export const itemOperationOf = ({ endpoint }: Operation): Operation | undefined =>
  operations.find(
    (other) => other.endpoint.method === 'GET' && other.endpoint.path === `${endpoint.path}/{id}`,
  );
