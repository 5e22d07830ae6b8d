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
  readonly key: string;
  owner: string;
  running: number;
  readonly waiting: Set<() => void>;
}

export function createCallSlots(options: CallSlotsOptions): CallSlots {
  const { total, perSession, perOwner = total, waitingPerSession, maxWaitMs, emit } = options;
  const sessions = new Map<string, Session>();
  /** Sessions with a waiting call, in turn. */
  const inTurn = new Set<Session>();
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

  function start(session: Session): () => void {
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
      forgetIfIdle(session);
      startNext();
    };
  }

  function forgetIfIdle({ key, running: itsRunning, waiting }: Session): void {
    if (itsRunning === 0 && waiting.size === 0) sessions.delete(key);
  }

  function startNext(): void {
    for (const session of inTurn) {
      if (!mayStart(session)) continue;
      inTurn.delete(session);
      inTurn.add(session); // at the end of the queue
      const [next] = session.waiting;
      return next?.();
    }
  }

  function wait(session: Session, signal: CallSignal | undefined): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const leaveQueue = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onLeave);
        session.waiting.delete(onTurn);
        if (session.waiting.size > 0) return;
        inTurn.delete(session);
        forgetIfIdle(session);
      };
      const onTurn = (): void => {
        resolve(start(session));
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
      inTurn.add(session);
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
      const session = sessions.get(key) ?? { key, owner, running: 0, waiting: new Set() };
      session.owner = owner; // its company may be known by now
      sessions.set(key, session);
      if (mayStart(session)) return start(session);
      if (session.waiting.size >= waitingPerSession) throw tooManyCalls();
      return await wait(session, signal);
    },
  };
}
