import type { Faults } from '../faults.js';
import type { CompanyData } from './data/types.js';
import type { ApiResponse } from './envelope.js';

export interface ApiCall {
  /** What stands where the path has `:id`; '' where it has none. */
  id: string;
  query: URLSearchParams;
  /** The JSON object that was sent; {} when there was no body. */
  body: Readonly<Record<string, unknown>>;
  company: CompanyData;
  /** All companies: to tell another company's debt from one that does not exist. */
  companies: readonly CompanyData[];
  faults: Readonly<Faults>;
  nowMs: number;
  newId: () => string;
}

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below /external-api/v1; the first route that fits is taken. */
  path: string;
  scope: string;
  /** The response is another one each time, also when nothing was written. */
  changing?: boolean;
  handle(call: ApiCall): ApiResponse;
}

export type RouteMatch = { route: Route; id: string } | 'no such path' | 'no such method';

export function matchRoute(routes: readonly Route[], method: string, path: string): RouteMatch {
  const parts = path.split('/');
  let found: RouteMatch = 'no such path';
  for (const route of routes) {
    const wanted = route.path.split('/');
    if (wanted.length !== parts.length) continue;
    if (
      !wanted.every(
        (part, index) => part === parts[index] || (part === ':id' && parts[index] !== ''),
      )
    )
      continue;
    if (route.method === method) return { route, id: decode(parts[wanted.indexOf(':id')] ?? '') };
    found = 'no such method';
  }
  return found;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
