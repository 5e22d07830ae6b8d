import type { SessionData, Store } from 'express-session';
import type { SessionStore } from '../../../src/web/session/session-store.js';

/** One call of a store, kept between its two ends. */
export interface Held {
  /** Whether the call has been made. */
  isThere: () => boolean;
  letGo: () => void;
}

/** The next read takes what is there now, and hands it out only when let go. */
export function holdNextRead(store: Store): Held {
  const read = store.get.bind(store);
  let handOut: (() => void) | undefined;
  store.get = (id, callback) => {
    store.get = read;
    read(id, (error: unknown, found?: SessionData | null) => {
      handOut = () => callback(error, found);
    });
  };
  return { isThere: () => handOut !== undefined, letGo: () => handOut?.() };
}

/** The same for the sessions of the app, which are read by `read`. */
export function holdNextSessionRead(sessions: SessionStore): Held {
  const read = sessions.read.bind(sessions);
  let handOut: (() => void) | undefined;
  sessions.read = async (id) => {
    sessions.read = read;
    const found = await read(id);
    await new Promise<void>((resolve) => (handOut = resolve));
    return found;
  };
  return { isThere: () => handOut !== undefined, letGo: () => handOut?.() };
}

/** The next write is done only when let go. */
export function holdNextWrite(store: Store): Held {
  const write = store.set.bind(store);
  let carryOut: (() => void) | undefined;
  store.set = (id, value, callback) => {
    store.set = write;
    carryOut = () => write(id, value, callback);
  };
  return { isThere: () => carryOut !== undefined, letGo: () => carryOut?.() };
}
