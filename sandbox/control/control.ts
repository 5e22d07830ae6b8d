import type { Grants } from '../authorization-server/grants.js';
import { assertRedirectUri, assertSecrets, type RegisteredClient } from '../client.js';
import type { Counters } from '../counters.js';
import type { FaultState } from '../fault-state.js';
import type { Faults } from '../faults.js';
import type { Gate } from '../gate.js';
import type { RecordedRequest, Recorder } from '../recorder.js';

/** The same operations as the HTTP control API, without the way over HTTP. */
export interface Control {
  /**
   * Queues (`token`, `api`, `revokeFault`) are replaced, not appended to.
   * @throws {Error} naming the wrong fields.
   */
  set: (partial: Partial<Faults>) => void;
  /**
   * Faults back to their start values, counters and rate limits to zero. Tokens, data and the
   * client stay.
   */
  reset: () => void;
  /**
   * As after a start: besides what `reset` does, the client and the data are as they were, nothing
   * is held, and the log is empty. Sign-ins and redirect URIs that were added stay.
   */
  startAfresh: () => void;
  state: () => { faults: Faults; counters: Counters; held: number; client: ClientState };
  expireAccessTokens: () => void;
  revokeGrants: () => void;
  addRedirectUri: (uri: string) => void;
  setClientSecrets: (secrets: readonly string[]) => void;
  setClientActive: (active: boolean) => void;
  /** What the client may ask for, as ticked in the dashboard. */
  setClientScopes: (scopes: readonly string[]) => void;
  /** Lets go of every call held by mode 'hold' or 'holdAnswer'. */
  release: () => void;
  /** The last 1,000 requests to the authorization server and the API. */
  requests: () => RecordedRequest[];
  clearRequests: () => void;
}

interface ClientState {
  clientId: string;
  active: boolean;
  redirectUris: string[];
}

export interface ControlDeps {
  faults: FaultState;
  counters: () => Counters;
  resetCounters: () => void;
  grants: Grants;
  client: RegisteredClient;
  gate: Gate;
  recorder: Recorder;
  /** What the control does not hold itself: companies, webhooks. */
  resetData: () => void;
}

export function createControl({
  faults,
  counters,
  resetCounters,
  grants,
  client,
  gate,
  recorder,
  resetData,
}: ControlDeps): Control {
  const start = structuredClone(client);
  const reset = (): void => {
    faults.reset();
    resetCounters();
  };
  return {
    set: faults.set,
    reset,
    startAfresh() {
      reset();
      Object.assign(client, structuredClone(start), { redirectUris: client.redirectUris });
      resetData();
      gate.release();
      recorder.clear();
    },
    state: () => ({
      faults: structuredClone(faults.current()),
      counters: structuredClone(counters()),
      held: gate.waiting(),
      client: {
        clientId: client.clientId,
        active: client.active,
        redirectUris: [...client.redirectUris],
      },
    }),
    expireAccessTokens: grants.expireAccessTokens,
    revokeGrants: grants.revokeAll,
    addRedirectUri(uri) {
      assertRedirectUri(uri);
      if (!client.redirectUris.includes(uri)) client.redirectUris.push(uri);
    },
    setClientSecrets(secrets) {
      assertSecrets(secrets);
      client.secrets = [...secrets];
    },
    setClientActive(active) {
      client.active = active;
    },
    setClientScopes(scopes) {
      client.scopes = [...scopes];
    },
    release: gate.release,
    requests: recorder.requests,
    clearRequests: recorder.clear,
  };
}
