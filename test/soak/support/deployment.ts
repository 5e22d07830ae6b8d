import type { AppProcess } from '../../process/support/app-process.js';
import type { Installation } from '../../process/support/installation.js';
import { startBalancer, type Balancer } from './balancer.js';
import { answersOf, letPeopleWork, type Call, type People } from './people.js';

/** Processes behind a balancer, with people at work, replaced one after another as an operator would. */
export interface Deployment {
  people: People;
  running: readonly AppProcess[];
  /** SIGTERM to each in turn, and another one in its place; returns the exit codes. */
  roll(env?: Record<string, string>): Promise<(number | null)[]>;
  /** What people saw; resolves when nothing is under way any more. */
  end(): Promise<DeploymentReport>;
}

export interface DeploymentReport {
  requests: number;
  answers: Record<number, number>;
  failed: Pick<Call, 'what' | 'status' | 'reason'>[];
  sessions: number;
  renewals: number;
  signOuts: { reason: string }[];
  /** Of any refresh token that was spent before. */
  reuse: number;
}

/** Enough for the balancer to notice, on a machine that is busy. */
export const DRAINING = { DRAIN_DELAY_S: '2' };

const AS_IT_SHOULD = [200, 201, 303];

export async function deploy(
  site: Installation,
  { staysMs }: { staysMs?: number } = {},
): Promise<Deployment> {
  const balancer: Balancer = await startBalancer(site.all);
  const habits = {
    callEveryMs: 20,
    signInEveryMs: 150,
    signOutEvery: 4,
    ...(staysMs !== undefined && { staysMs }),
  };
  const people = letPeopleWork({ target: () => balancer, ...habits });
  const running = [...site.all];
  let release = 1;

  return {
    people,
    running,
    async roll(env) {
      release += 1;
      const codes: (number | null)[] = [];
      for (const [index, old] of running.entries()) {
        old.signal('SIGTERM');
        codes.push((await old.exited).code);
        const next = await site.start(`${index}-release-${release}`, env);
        running[index] = next;
        balancer.replace(old, next);
        await balancer.untilReady(next);
      }
      return codes;
    },
    async end() {
      await people.stop();
      await balancer.close();
      const { calls, present, left } = people;
      return {
        requests: calls.length,
        answers: answersOf(calls),
        failed: calls
          .filter(({ status }) => !AS_IT_SHOULD.includes(status))
          .map(({ what, status, reason }) => ({ what, status, ...(reason && { reason }) })),
        sessions: present.length + left.length,
        renewals: (await site.audit('token_refreshed')).length,
        signOuts: (await site.audit('session_ended')).filter(
          ({ reason }) => reason !== 'signed_out',
        ),
        reuse: site.sandbox.control.state().counters.refreshReuse,
      };
    },
  };
}
