import { UnavailableError } from '../errors.js';
import type { Emit } from '../events.js';
import type { CallSignal } from './call-signal.js';
import { browserLeft } from './unavailable.js';

export interface CallSlotsOptions {
  /** Calls under way at the same time in this process. */
  readonly total: number;
  /** Calls of one session under way at the same time. */
  readonly perSession: number;
  /** Calls of all sessions of one owner under way at the same time. */
  readonly perOwner?: number;
  /** Calls of one session that wait for a slot; further ones are refused at once. */
  readonly waitingPerSession: number;
  /** Longest wait for a slot. */
  readonly maxWaitMs: number;
  readonly emit: Emit;
}

/**
 * Limits how many calls to the API are open at once. Each session has a share, and so has each
 * owner of sessions, so that none can hold every connection. When all slots are taken, the sessions
 * that wait get one in turn.
 */
export interface CallSlots {
  /**
   * `owner`: the company, or another name under which a person's sessions are known to belong
   * together. Resolves with the function that gives the slot back; calling it twice is harmless.
   * @throws {UnavailableError} 503: too many calls of this session wait, or it waited too long.
   * @throws {UnavailableError} 499: `signal` was aborted meanwhile.
   */
  acquire(sessionKey: string, signal?: CallSignal, owner?: string): Promise<() => void>;
}

interface Session {
  owner: string;
  running: number;
  readonly waiting: Set<() => void>;
}

export function createCallSlots(options: CallSlotsOptions): CallSlots {
  const { total, perSession, perOwner = total, waitingPerSession, maxWaitMs, emit } = options;
  const sessions = new Map<string, Session>();
  /** Sessions with a waiting call that may run as soon as a slot is free, longest wait first. */
  const ready = new Set<string>();
  const runningOf = new Map<string, number>();
  let running = 0;

  function count(owner: string, by: 1 | -1): void {
    const left = (runningOf.get(owner) ?? 0) + by;
    if (left > 0) runningOf.set(owner, left);
    else runningOf.delete(owner);
  }

  const mayStart = (session: Session): boolean =>
    running < total &&
    session.running < perSession &&
    (runningOf.get(session.owner) ?? 0) < perOwner;

  function start(key: string, session: Session): () => void {
    const { owner } = session;
    session.running += 1;
    running += 1;
    count(owner, 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      session.running -= 1;
      running -= 1;
      count(owner, -1);
      if (session.waiting.size > 0) ready.add(key);
      else if (session.running === 0) sessions.delete(key);
      startNext();
    };
  }

  function startNext(): void {
    for (const key of ready) {
      const session = sessions.get(key);
      if (session === undefined || !mayStart(session)) continue;
      const [next] = session.waiting;
      ready.delete(key);
      next?.();
      // at the end of the queue
      if (session.waiting.size > 0 && session.running < perSession) ready.add(key);
      return;
    }
  }

  function wait(
    key: string,
    session: Session,
    signal: CallSignal | undefined,
  ): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const leaveQueue = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onLeave);
        session.waiting.delete(onTurn);
        if (session.waiting.size > 0) return;
        ready.delete(key);
        if (session.running === 0) sessions.delete(key);
      };
      const onTurn = (): void => {
        resolve(start(key, session));
        leaveQueue();
      };
      const onLeave = (): void => {
        leaveQueue();
        reject(browserLeft());
      };
      const timer = setTimeout(() => {
        leaveQueue();
        reject(tooManyCalls());
      }, maxWaitMs);
      signal?.addEventListener('abort', onLeave);
      session.waiting.add(onTurn);
      // no slot is free now: the next one that is given back starts it
      if (session.running < perSession) ready.add(key);
    });
  }

  function tooManyCalls(): UnavailableError {
    emit({ type: 'rate_limited', limit: 'open_calls' });
    return new UnavailableError('too many calls of this session are open', {
      code: 'too_many_open_calls',
      status: 503,
      retryAfterS: Math.max(1, Math.ceil(maxWaitMs / 1000)),
    });
  }

  return {
    async acquire(key, signal, owner = key) {
      if (signal?.aborted === true) throw browserLeft();
      const session = sessions.get(key) ?? { owner, running: 0, waiting: new Set() };
      session.owner = owner; // its company may be known by now
      sessions.set(key, session);
      if (mayStart(session) && session.waiting.size === 0) return start(key, session);
      if (session.waiting.size >= waitingPerSession) throw tooManyCalls();
      return await wait(key, session, signal);
    },
  };
}
