import type { Config } from '../../config/config.js';
import { ask, type HttpResponse } from './ask.js';
import type { CheckContext } from './check.js';

export type Deployment = NonNullable<CheckContext['deployment']>;

/** A request through the real proxy, as a browser would send it; with `json` a POST. */
export const visit = (
  path: string,
  { url, upstream }: Deployment,
  {
    config,
    now,
    headers = {},
    json,
  }: { config: Config; now: () => number; headers?: Record<string, string>; json?: string },
): Promise<HttpResponse> =>
  ask(upstream, new URL(path, url), {
    timeoutMs: config.getbill.timeoutMs,
    now,
    headers: { accept: 'application/json', ...headers },
    ...(json !== undefined && { json }),
  });
