import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from '../../process/support/installation.js';
import { until } from '../../support/until.js';
import type { Target } from '../../process/support/visitor.js';
import { answersOf, letPeopleWork, PAGE, type People, type Person } from './people.js';
import { cutReplication, findMaster, type RedisSet } from './redis-node.js';

export interface FailoverReport {
  /** From the kill to the start of the last request that was answered 503. */
  failoverMs: number;
  /** Of everybody who was not lost, by status. */
  answers: Record<number, number>;
  sessions: number;
  lost: LostSession[];
  /** People who had signed out and are signed in again. */
  undoneSignOuts: { writtenBeforeMs: number }[];
}

interface LostSession {
  /** What the audit log says of it; a session that nobody has heard of leaves no such line. */
  end: string;
  /** How long before the kill the last thing was written of it; negative: after it. */
  writtenBeforeMs: number;
  /** Where its next page leads, and how the sign-in there ends. */
  page: string | undefined;
  signIn: { status: number; location: string | undefined };
}

const WARM_MS = 6_000;
/** Longer than an access token lives: after it everybody's has been renewed. */
const CALM_MS = 6_000;

/** @param cutMs how long before its death the replicas hear no more of the master. */
export async function killMaster(
  redis: RedisSet,
  site: Installation,
  { cutMs = 0 } = {},
): Promise<FailoverReport> {
  let turn = 0;
  const target = (): Target => site.all[turn++ % site.all.length] ?? { origin: '' };
  const people = letPeopleWork({ target, callEveryMs: 15, signInEveryMs: 100, signOutEvery: 4 });
  await delay(WARM_MS);
  const master = await findMaster(redis);
  if (cutMs > 0) await cutReplication(master);
  await delay(cutMs);
  const killedAtMs = Date.now();
  await master.kill();

  const lastRefusalMs = (): number =>
    people.calls.reduce(
      (last, { status, startedAtMs }) => Math.max(last, status === 503 ? startedAtMs : 0),
      killedAtMs,
    );
  await until('nothing is refused any more', () => Date.now() - lastRefusalMs() > CALM_MS, {
    withinMs: 60_000,
  });
  await people.stop();

  const lost = new Map<Person, LostSession>();
  const historyOf = await readAudit(site);
  for (const person of await findLost(people, site)) {
    const { end, writtenAtMs } = historyOf(person);
    const page = await person.visitor.call(target(), '/dashboard', PAGE);
    const { status, location } = await person.browser.signIn({ returnTo: '/dashboard' });
    lost.set(person, {
      end,
      writtenBeforeMs: killedAtMs - writtenAtMs,
      page: page.headers['location']?.toString(),
      signIn: { status, location },
    });
  }
  const undoneSignOuts: FailoverReport['undoneSignOuts'] = [];
  for (const { visitor, signedOutAtMs } of people.left) {
    const { status } = await visitor.profile(target());
    if (signedOutAtMs !== undefined && status !== 401)
      undoneSignOuts.push({ writtenBeforeMs: killedAtMs - signedOutAtMs });
  }
  return {
    failoverMs: lastRefusalMs() - killedAtMs,
    answers: answersOf(
      people.calls.filter(({ person }) => person === undefined || !lost.has(person)),
    ),
    sessions: people.present.length + people.left.length,
    lost: [...lost.values()],
    undoneSignOuts,
  };
}

/** Who was told to sign in, and who is told so now. */
async function findLost({ present, calls }: People, { all }: Installation): Promise<Set<Person>> {
  const lost = new Set<Person>();
  for (const { person, status } of calls)
    if (person !== undefined && [302, 401].includes(status)) lost.add(person);
  for (const person of present) {
    const answers = await Promise.all(all.map((app) => person.visitor.profile(app)));
    if (!answers.every(({ status }) => status === 200)) lost.add(person);
  }
  return lost;
}

async function readAudit(
  site: Installation,
): Promise<(person: Person) => { end: string; writtenAtMs: number }> {
  const grants = new Map(
    (await site.audit('login_completed')).map(({ requestId, grant }) => [requestId, grant]),
  );
  const ends = new Map(
    (await site.audit('session_ended')).map(({ grant, reason }) => [grant, reason]),
  );
  const renewals = new Map<string, number>();
  for (const { grant, time } of await site.audit('token_refreshed')) {
    renewals.set(grant, Math.max(renewals.get(grant) ?? 0, Date.parse(time)));
  }
  return ({ requestId, signedInAtMs }) => {
    const grant = grants.get(requestId) ?? '';
    return {
      end: ends.get(grant) ?? 'not replicated',
      writtenAtMs: Math.max(signedInAtMs, renewals.get(grant) ?? 0),
    };
  };
}
