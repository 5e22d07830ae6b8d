import { Counter, Gauge, type Registry } from 'prom-client';
import type { SecretMade } from '../config/config.js';
import type { AppEvent, Emit } from '../events.js';
import { initialLabels, knownScope } from './metric-labels.js';

/** How the client is used at GetBill: its scopes, its secret, and why tokens are renewed. */
export function createUseMetrics({
  registry,
  clientSecretMade,
  now,
}: {
  registry: Registry;
  clientSecretMade: SecretMade | undefined;
  now: () => number;
}): Emit {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, label: Label) =>
    new Counter({ name: `getbill_connect_${name}`, help, labelNames: [label], registers });

  const granted = counter(
    'scopes_granted_total',
    'sign-ins that were granted this scope; one that is granted and never used should not be asked for',
    'scope',
  );
  const used = counter(
    'scopes_used_total',
    'calls to the GetBill API that need this scope',
    'scope',
  );
  const reasons = counter(
    'renewal_reasons_total',
    'renewed tokens by why: in the `margin` before the expiry, after it (`expired`), or `rejected` by the API with a 401',
    'reason',
  );
  new Gauge({
    name: 'getbill_connect_client_secret_age_seconds',
    help: 'age of the first client secret, known by `GETBILL_CLIENT_SECRET_SINCE` (`setting`) or the change time of `GETBILL_CLIENT_SECRET_FILE` (`file`); absent where neither is there',
    labelNames: ['known_by'],
    registers,
    collect() {
      if (clientSecretMade === undefined) return;
      const { knownBy, atMs } = clientSecretMade;
      this.set({ known_by: knownBy }, Math.max(0, now() - atMs) / 1000);
    },
  });
  for (const scope of initialLabels.scopes) {
    granted.inc({ scope }, 0);
    used.inc({ scope }, 0);
  }
  for (const reason of initialLabels.renewalReasons) reasons.inc({ reason }, 0);

  return (event: AppEvent) => {
    if (event.type === 'login_completed')
      for (const scope of new Set(event.scopes.map(knownScope))) granted.inc({ scope });
    if (event.type === 'api_called') used.inc({ scope: knownScope(event.scope) });
    if (event.type === 'token_refreshed') reasons.inc({ reason: event.trigger });
  };
}
