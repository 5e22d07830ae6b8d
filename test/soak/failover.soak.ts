import { startInstallation, type Installation } from '../process/support/installation.js';
import { killMaster, type FailoverReport } from './support/kill-master.js';
import { startRedisCluster } from './support/redis-cluster.js';
import type { RedisSet } from './support/redis-node.js';
import { startRedisSentinels } from './support/redis-sentinels.js';

/** What the network keeps from the replicas before the master dies. */
const CUT_MS = 600;

let lostByCuts = 0;

describe.each([
  ['a Cluster of three masters and three replicas', startRedisCluster],
  ['a master and two replicas under three Sentinels', startRedisSentinels],
])('%s, whose master is killed under load', (name, startRedisSet) => {
  let redis: RedisSet;
  let site: Installation;
  let inStep: FailoverReport;
  let cutOff: FailoverReport;

  beforeAll(async () => {
    redis = await startRedisSet();
    site = await startInstallation({
      processes: ['a', 'b', 'c'],
      env: () => ({ REDIS_URL: '', ...redis.env }),
      faults: { accessTokenLifetimeS: 3, refreshToken: 'rotate' },
    });
    inStep = await killMaster(redis, site);
    cutOff = await killMaster(redis, site, { cutMs: CUT_MS });
    lostByCuts += cutOff.lost.length;
    console.log(`${name}: ${figuresOf(inStep)}`);
    console.log(`${name}, replicas cut off ${CUT_MS} ms before: ${figuresOf(cutOff)}`);
  });
  afterAll(async () => {
    await site.close();
    await redis.close();
  });

  it('takes writes again by itself, and answers 503 until then and nothing worse', () => {
    for (const { failoverMs, answers } of [inStep, cutOff]) {
      expect(failoverMs).toBeLessThan(20_000); // four, and as many again when a vote of the Cluster is not won at once
      expect(Object.keys(answers).map(Number)).toEqual(
        expect.arrayContaining([200, 201, 303, 503]),
      );
      expect(
        Object.keys(answers).filter((status) => ![200, 201, 303, 503].includes(Number(status))),
      ).toEqual([]);
    }
  });

  it('keeps everything that was written more than a second before', () => {
    for (const report of [inStep, cutOff]) {
      expect(report.lost.filter(isOld)).toEqual([]);
      expect(report.undoneSignOuts.filter(isOld)).toEqual([]);
    }
  });

  it('[immunity 20] costs one clean sign-in where the last write was not replicated', () => {
    for (const { end, page, signIn } of [...inStep.lost, ...cutOff.lost]) {
      expect(['not replicated', 'refused', 'answer_lost']).toContain(end);
      expect(page).toBe('/login?returnTo=%2Fdashboard');
      expect(signIn).toEqual({ status: 303, location: '/dashboard' });
    }
  });
});

it('a cut between master and replicas does lose something, or the above would prove little', () => {
  expect(lostByCuts).toBeGreaterThan(0);
});

const isOld = ({ writtenBeforeMs }: { writtenBeforeMs: number }): boolean =>
  writtenBeforeMs > 1_000;

function figuresOf({
  failoverMs,
  answers,
  sessions,
  lost,
  undoneSignOuts,
}: FailoverReport): string {
  const requests = Object.values(answers).reduce((sum, count) => sum + count, 0);
  const list = JSON.stringify(
    lost.map(({ end, writtenBeforeMs }) => `${end}, written ${writtenBeforeMs} ms before`),
  );
  return [
    `writes fail for ${failoverMs} ms; ${requests} requests answered, ${answers[503] ?? 0} of them 503`,
    `${sessions} sessions, lost among those written more than a second before: ${lost.filter(isOld).length}`,
    `lost among the younger: ${list}; sign-outs undone: ${undoneSignOuts.length}`,
  ].join('; ');
}
