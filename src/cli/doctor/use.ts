import { pass, warn, type Check, type Result } from './check.js';

const DAY_MS = 86_400_000;
const OLD_SECRET_DAYS = 365;
const ENOUGH_RENEWALS = 10;

/** Hints about how the client is used at GetBill; nothing here fails. */
export const useChecks: readonly Check[] = [
  {
    name: 'client secret age',
    examine({ config, now }) {
      const made = config.getbill.clientSecretMade;
      return Promise.resolve(made && judgeAge((now() - made.atMs) / DAY_MS, made.knownBy));
    },
  },
  {
    name: 'use',
    async examine({ deployment, config, now }) {
      const token = config.metricsToken?.reveal();
      if (deployment === undefined || token === undefined) return undefined;
      const headers = { accept: 'text/plain', authorization: `Bearer ${token}` };
      const visited = deployment.visit('/metrics', { headers });
      const response = await visited.catch(() => undefined); // "deployment" says why
      // a proxy may hide it
      return response?.status === 200 ? judgeUse(response.text, now()) : undefined;
    },
  },
];

function judgeAge(days: number, knownBy: 'setting' | 'file'): Result {
  const source = knownBy === 'setting' ? 'GETBILL_CLIENT_SECRET_SINCE' : 'the change of its file';
  if (days < -1)
    return warn(
      `by ${source} it is not made yet`,
      'correct the date, or the clock of this machine',
    );
  const fullDays = Math.max(0, Math.floor(days)); // a day begins up to 14 hours before that of UTC
  if (days <= OLD_SECRET_DAYS) return pass(`${fullDays} days, by ${source}`);
  return warn(
    `${fullDays} days old, by ${source}; GetBill says to change it regularly`,
    'make a new one at GetBill and put it first: GETBILL_CLIENT_SECRET=new,old (docs/operations.md)',
  );
}

/** From the metrics of the process that responded. */
function judgeUse(text: string, nowMs: number): Result {
  const value = (name: string, labels = ''): number =>
    Number(new RegExp(`^${name}${labels} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  const counted = (name: string): Map<string, number> => {
    const lines = text.matchAll(
      new RegExp(`^getbill_connect_${name}\\{\\w+="([^"]+)"\\} (\\S+)$`, 'gm'),
    );
    return new Map([...lines].map(([, label = '', count]) => [label, Number(count)]));
  };

  const days = (nowMs - value('process_start_time_seconds') * 1000) / DAY_MS;
  const used = counted('scopes_used_total');
  const unused = [...counted('scopes_granted_total')]
    .filter(([scope, grants]) => grants > 0 && used.get(scope) === 0)
    .map(([scope]) => scope);
  if (days >= 1 && unused.length > 0) {
    return warn(
      `granted and not used since this process started, ${Math.floor(days)} days ago: ${unused.join(' ')}`,
      'when no other process uses them either (docs/metrics.md), ask for fewer in GETBILL_SCOPES',
    );
  }
  const reasons = counted('renewal_reasons_total');
  const renewed = [...reasons.values()].reduce((sum, count) => sum + count, 0);
  const rejected = reasons.get('rejected') ?? 0;
  if (renewed >= ENOUGH_RENEWALS && rejected > renewed / 2) {
    return warn(
      `${rejected} of ${renewed} renewals followed a 401: GetBill ends tokens before their time`,
      'compare the clocks; if another app uses this client, give each its own: a new token may end the old one',
    );
  }
  const refused = value('getbill_connect_renewals_total', '\\{role="led",outcome="refused"\\}');
  return pass(`${renewed} renewals in this process, ${refused} refused`);
}
