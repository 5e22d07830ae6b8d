import { hash } from 'node:crypto';
import type { Control } from './control/control.js';
import { experiments, type Queue } from './experiments.js';
import type { RecordedRequest } from './recorder.js';

/** Name in the counters, label, and whether anything but zero is bad news. */
const counterLabels: readonly (readonly [name: string, label: string, isBad: boolean])[] = [
  ['authorize', 'Sign-ins started', false],
  ['tokenByGrant.authorization_code', 'Codes exchanged', false],
  ['refreshOk', 'Renewals', false],
  ['refreshRefused', 'Renewals refused', true],
  ['refreshReuse', 'Old token reused', true],
  ['apiCalls', 'API calls', false],
  ['apiUnauthorized', 'API calls with 401', true],
  ['revokeCalls', 'Revocations', false],
];

export interface Waiting {
  queue: Queue;
  /** Its place in the queue. */
  index: number;
  text: string;
  /** The fault without its `times`, to find it when those before it are gone. */
  faultJson: string;
}

export interface LogLine {
  number: number;
  /** ISO 8601. */
  at: string;
  call: string;
  /** A hash of the token or code that it carried. */
  credential: string;
  /** 0 while there is none, and when the connection was cut. */
  status: number;
  outcome: 'ok' | 'failed' | 'open';
  durationMs: number | undefined;
}

export interface PanelState {
  counters: { name: string; label: string; count: number; isBad: boolean }[];
  settings: Record<string, string | number | boolean>;
  waiting: Waiting[];
  held: number;
  client: { clientId: string; active: boolean; redirectUris: string[] };
  log: LogLine[];
}

const MAX_LOG_LINES = 40;

/** What the panel shows: drawn by the server at first, by its script from then on. */
export function panelState(control: Pick<Control, 'state' | 'requests'>): PanelState {
  const { faults, counters, held, client } = control.state();
  const counterOf = (name: string): number => {
    const value: unknown = name
      .split('.')
      .reduce<unknown>((object, key) => (object as Record<string, unknown>)[key], counters);
    return typeof value === 'number' ? value : 0;
  };
  const fields = experiments.flatMap(({ settings = [] }) => settings.map(({ field }) => field));
  const requests = control.requests();
  return {
    counters: counterLabels.map(([name, label, isBad]) => ({
      name,
      label,
      count: counterOf(name),
      isBad,
    })),
    settings: Object.fromEntries(fields.map((field) => [field, faults[field]])),
    waiting: (['token', 'api', 'revokeFault'] as const).flatMap((queue) =>
      faults[queue].map(({ times, ...rest }, index) => ({
        queue,
        index,
        text: textOf(queue, rest, times),
        faultJson: JSON.stringify(rest),
      })),
    ),
    held,
    client,
    log: requests
      .map((request, index) => logLine(request, index))
      .slice(-MAX_LOG_LINES)
      .reverse(),
  };
}

const endpoints = { api: 'API', token: 'Token', revokeFault: 'Revocation' };

/** The label of its button, or its values; and for how many calls. */
function textOf(queue: Waiting['queue'], rest: object, times = 1): string {
  const known = experiments
    .flatMap(({ buttons = [] }) => buttons)
    .find(
      (button) => button.queue === queue && JSON.stringify(button.fault) === JSON.stringify(rest),
    );
  const label = known?.label ?? Object.values(rest).map(String).join(' ');
  const calls = times === 0 ? 'until removed' : `next ${times} calls`;
  return `${endpoints[queue]}: ${label}${times === 1 ? '' : ` (${calls})`}`;
}

function logLine(request: RecordedRequest, index: number): LogLine {
  const { method, url, status = 0, durationMs, cut = false, atMs } = request;
  const [path = ''] = url.split('?');
  return {
    number: index,
    at: new Date(atMs).toISOString(),
    call: `${method} ${path}${detailsOf(request)}`,
    credential: credentialOf(request),
    status,
    outcome: cut ? 'failed' : status === 0 ? 'open' : status < 400 ? 'ok' : 'failed',
    durationMs,
  };
}

const SHOWN = new Set(['page', 'limit', 'status', 'type']);

/** Parameters that hold no secret. */
function detailsOf({ url, body }: RecordedRequest): string {
  if (url.startsWith('/oauth/token'))
    return ` ${new URLSearchParams(body).get('grant_type') ?? ''}`.trimEnd();
  if (!url.startsWith('/external-api/')) return '';
  const query = [...new URLSearchParams(url.split('?')[1])].filter(([name]) => SHOWN.has(name));
  return query.length === 0 ? '' : `?${new URLSearchParams(query).toString().slice(0, 80)}`;
}

function credentialOf({ rawHeaders, url, body }: RecordedRequest): string {
  const at = rawHeaders.findIndex(
    (name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization',
  );
  const form = url.startsWith('/oauth/') ? new URLSearchParams(body) : undefined;
  const secret =
    form?.get('refresh_token') ?? form?.get('code') ?? (at < 0 ? undefined : rawHeaders[at + 1]);
  return secret === undefined ? '' : `•••• ${hash('sha256', secret, 'base64url').slice(0, 8)}`;
}
