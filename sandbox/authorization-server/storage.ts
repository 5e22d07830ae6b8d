import type { Adapter, AdapterPayload } from 'oidc-provider';

interface Entry {
  model: string;
  payload: AdapterPayload;
  expiresAtMs: number;
}

/**
 * In-memory storage for oidc-provider, also readable without a promise: what reads and writes in
 * one go is atomic.
 */
export interface Storage {
  adapter(model: string): Adapter;
  get(model: string, id: string): AdapterPayload | undefined;
  put(model: string, id: string, payload: AdapterPayload, lifetimeS: number): void;
  remove(model: string, id: string): void;
  /** Everything that hangs on a grant, or only one kind of it. */
  removeOfGrant(grantId: string, model?: string): void;
  removeAll(models: readonly string[]): void;
}

const writesBetweenSweeps = 10_000;

/**
 * @param doubleUse makes the error for an authorization code that two requests present at the same
 * time.
 */
export function createStorage({
  clock,
  doubleUse,
}: {
  clock: () => number;
  doubleUse: () => Error;
}): Storage {
  const entries = new Map<string, Entry>();
  const keysOfGrant = new Map<string, Set<string>>();
  const sessionOfUid = new Map<string, string>();
  let writes = 0;
  const keyOf = (model: string, id: string) => `${model}:${id}`;

  function removeKey(key: string): void {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    const { grantId, uid } = entry.payload;
    if (grantId !== undefined) {
      const keys = keysOfGrant.get(grantId);
      keys?.delete(key);
      if (keys?.size === 0) keysOfGrant.delete(grantId);
    }
    if (
      entry.model === 'Session' &&
      uid !== undefined &&
      keyOf('Session', sessionOfUid.get(uid) ?? '') === key
    ) {
      sessionOfUid.delete(uid);
    }
  }

  function sweep(): void {
    const nowMs = clock();
    for (const [key, entry] of entries) if (entry.expiresAtMs <= nowMs) removeKey(key);
  }

  const storage: Storage = {
    get(model, id) {
      const entry = entries.get(keyOf(model, id));
      return entry !== undefined && entry.expiresAtMs > clock() ? entry.payload : undefined;
    },
    put(model, id, payload, lifetimeS) {
      const key = keyOf(model, id);
      removeKey(key);
      entries.set(key, { model, payload, expiresAtMs: clock() + lifetimeS * 1000 });
      if (payload.grantId !== undefined) {
        const keys = keysOfGrant.get(payload.grantId) ?? new Set();
        keysOfGrant.set(payload.grantId, keys.add(key));
      }
      if (model === 'Session' && payload.uid !== undefined) sessionOfUid.set(payload.uid, id);
      writes += 1;
      if (writes % writesBetweenSweeps === 0) sweep();
    },
    remove: (model, id) => removeKey(keyOf(model, id)),
    removeOfGrant(grantId, model) {
      for (const key of [...(keysOfGrant.get(grantId) ?? [])]) {
        if (model === undefined || entries.get(key)?.model === model) removeKey(key);
      }
      if (model === undefined) removeKey(keyOf('Grant', grantId));
    },
    removeAll(models) {
      for (const [key, entry] of entries) if (models.includes(entry.model)) removeKey(key);
    },
    adapter: (model) => ({
      upsert: (id, payload, expiresIn) =>
        Promise.resolve(storage.put(model, id, payload, expiresIn ?? Infinity)),
      find: (id) => Promise.resolve(storage.get(model, id)),
      findByUid: (uid) => Promise.resolve(storage.get(model, sessionOfUid.get(uid) ?? '')),
      findByUserCode: () => Promise.resolve(undefined),
      async consume(id) {
        const payload = await Promise.resolve(storage.get(model, id));
        if (payload === undefined) throw doubleUse();
        if (payload.consumed !== undefined) {
          if (payload.grantId !== undefined) storage.removeOfGrant(payload.grantId);
          throw doubleUse();
        }
        payload.consumed = Math.floor(clock() / 1000);
      },
      destroy: (id) => Promise.resolve(storage.remove(model, id)),
      revokeByGrantId: (grantId) => Promise.resolve(storage.removeOfGrant(grantId, model)),
    }),
  };
  return storage;
}
