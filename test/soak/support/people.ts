import { setTimeout as delay } from 'node:timers/promises';
import { makeCompanies } from '../../../sandbox/api/data/companies.js';
import { createBrowser, type Browser } from '../../support/browser.js';
import { PUBLIC_URL } from '../../process/support/environment.js';
import {
  createVisitor,
  type Target,
  type TimedAnswer,
  type Visitor,
} from '../../process/support/visitor.js';

export interface Person {
  browser: Browser;
  visitor: Visitor;
  /** Of the request that signed this person in; the audit log has it, too. */
  requestId: string;
  signedInAtMs: number;
  signedOutAtMs?: number;
  underWay: Set<Promise<void>>;
}

export interface Call {
  what: string;
  /** Absent for a sign-in. */
  person?: Person;
  startedAtMs: number;
  endedAtMs: number;
  /** 0: no answer. */
  status: number;
  /** Why there was none. */
  reason?: string;
}

/** People at work: they read, write, come and go. */
export interface People {
  /** Signed in and not out again. */
  present: Person[];
  left: Person[];
  calls: Call[];
  /** Resolves when everything that is under way has ended. */
  stop(): Promise<void>;
}

interface Habits {
  /** Whom the next request goes to. */
  target: () => Target;
  callEveryMs: number;
  signInEveryMs: number;
  /** Every so many sign-ins the one who came first signs out. */
  signOutEvery: number;
  /** After so long nothing more is asked for a person. */
  staysMs?: number;
}

const [someDebt] = makeCompanies()[0].debts.keys();
const FOLLOWUP = JSON.stringify({ debt_id: someDebt, type: 'call', notes: 'made by a soak test' });
export const PAGE = {
  headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
};

export function letPeopleWork(habits: Habits): People {
  const { target, callEveryMs, signInEveryMs, signOutEvery, staysMs = Infinity } = habits;
  const present: Person[] = [];
  const left: Person[] = [];
  const calls: Call[] = [];
  const underWay = new Set<Promise<void>>();
  let stopped = false;

  function begin(what: string, person: Person | undefined, run: () => Promise<number>): void {
    const startedAtMs = Date.now();
    const sets = person === undefined ? [underWay] : [underWay, person.underWay];
    const call = run()
      .then(
        (status) => ({ status }),
        (error: unknown) => ({ status: 0, reason: String(error) }),
      )
      .then((end) => {
        calls.push({ what, ...(person && { person }), startedAtMs, endedAtMs: Date.now(), ...end });
        for (const set of sets) set.delete(call);
      });
    for (const set of sets) set.add(call);
  }

  async function signIn(): Promise<number> {
    const browser = createBrowser({ origin: target().origin, publicUrl: PUBLIC_URL });
    const { location, status } = await browser.get('/login');
    if (location === undefined) return status;
    const answer = await browser.get(await browser.approve(location));
    if (answer.status !== 303) return answer.status;
    const visitor = createVisitor({ host: new URL(PUBLIC_URL).host, cookies: browser.cookies });
    const requestId = String(answer.headers['x-request-id']);
    present.push({ browser, visitor, requestId, signedInAtMs: Date.now(), underWay: new Set() });
    return answer.status;
  }

  async function post(person: Person, path: string, body = ''): Promise<number> {
    const session = await person.visitor.call(target(), '/session');
    if (session.status !== 200) return session.status;
    const headers = {
      'content-type': 'application/json',
      'x-csrf-token': String(session.json['csrfToken']),
    };
    return await statusOf(person.visitor.call(target(), path, { method: 'POST', headers, body }));
  }

  /** Once nothing else of this person is under way: it would be answered as anybody's who is signed out. */
  async function signOut(person: Person, others: readonly Promise<void>[]): Promise<number> {
    await Promise.all(others);
    const status = await post(person, '/logout');
    if (status === 303) person.signedOutAtMs = Date.now();
    return status;
  }

  function work(turn: number, person: Person): void {
    const { visitor } = person;
    if (turn % 5 === 3) begin('write', person, () => post(person, '/api/followups', FOLLOWUP));
    else if (turn % 5 === 4)
      begin('page', person, () => statusOf(visitor.call(target(), '/dashboard', PAGE)));
    else begin('read', person, () => statusOf(visitor.profile(target())));
  }

  async function comeAndGo(): Promise<void> {
    for (let turn = 1; !stopped; turn++) {
      begin('sign in', undefined, signIn);
      const first = turn % signOutEvery === 0 ? present.shift() : undefined;
      if (first !== undefined) {
        left.push(first);
        const others = [...first.underWay];
        begin('sign out', first, () => signOut(first, others));
      }
      await delay(signInEveryMs);
    }
  }

  async function readAndWrite(): Promise<void> {
    for (let turn = 0; !stopped; turn++) {
      const longAgoMs = Date.now() - staysMs;
      while ((present[0]?.signedInAtMs ?? Infinity) < longAgoMs) left.push(...present.splice(0, 1));
      const person = present[turn % present.length];
      if (person !== undefined) work(turn, person);
      await delay(callEveryMs);
    }
  }

  const loops = [comeAndGo(), readAndWrite()];
  return {
    present,
    left,
    calls,
    async stop() {
      stopped = true;
      await Promise.all(loops);
      await Promise.all(underWay);
    },
  };
}

const statusOf = async (answer: Promise<TimedAnswer>): Promise<number> => (await answer).status;

/** How often each was answered. */
export function answersOf(calls: readonly Call[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of calls) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
