import type { Registry } from 'prom-client';
import type { SecretMade } from '../config/config.js';
import type { AppEvent, Emit } from '../events.js';
import { createInstruments, seriesOf } from './instruments.js';
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
  const { counter, gauge } = createInstruments(registry);
  const granted = counter(
    'scopes_granted_total',
    'sign-ins that were granted this scope; one that is granted and never used should not be asked for',
    seriesOf('scope', initialLabels.scopes),
  );
  const used = counter(
    'scopes_used_total',
    'calls to the GetBill API that need this scope',
    seriesOf('scope', initialLabels.scopes),
  );
  const reasons = counter(
    'renewal_reasons_total',
    'renewed tokens by why: in the `margin` before the expiry, after it (`expired`), or `rejected` by the API with a 401',
    seriesOf('reason', initialLabels.renewalReasons),
  );
  gauge(
    'client_secret_age_seconds',
    'age of the first client secret, known by `GETBILL_CLIENT_SECRET_SINCE` (`setting`) or the change time of `GETBILL_CLIENT_SECRET_FILE` (`file`); absent where neither is there',
    (age) => {
      if (clientSecretMade === undefined) return;
      const { knownBy, atMs } = clientSecretMade;
      age.set({ known_by: knownBy }, Math.max(0, now() - atMs) / 1000);
    },
    ['known_by'],
  );

  return (event: AppEvent) => {
    if (event.type === 'login_completed')
      for (const scope of new Set(event.scopes.map(knownScope))) granted.inc({ scope });
    if (event.type === 'api_called') used.inc({ scope: knownScope(event.scope) });
    if (event.type === 'token_refreshed') reasons.inc({ reason: event.trigger });
  };
}
