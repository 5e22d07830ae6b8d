import { until } from '../../support/until.js';
import { startNode, untilInStep, type RedisNode, type RedisSet } from './redis-node.js';

const SENTINELS = 3;
const QUORUM = 2;
const REPLICAS = 2;
/** A master that is silent for so long counts as dead. Sentinel's default is 30 seconds. */
const DOWN_AFTER_MS = 1_000;

/** Three Sentinels that watch a master and two replicas. */
export async function startRedisSentinels(): Promise<RedisSet> {
  const master = await startNode(['save ""']);
  const replicas: RedisNode[] = [];
  while (replicas.length < REPLICAS)
    replicas.push(await startNode(['save ""', `replicaof 127.0.0.1 ${master.port}`]));
  const nodes = [master, ...replicas];
  await untilInStep(nodes, { replicas: REPLICAS });

  const sentinels: RedisNode[] = [];
  while (sentinels.length < SENTINELS) {
    const settings = [
      `sentinel monitor mymaster 127.0.0.1 ${master.port} ${QUORUM}`,
      `sentinel down-after-milliseconds mymaster ${DOWN_AFTER_MS}`,
      'sentinel failover-timeout mymaster 5000',
    ];
    sentinels.push(await startNode(settings, { sentinel: true }));
  }
  await until('the Sentinels know each other and the replicas', async () => {
    const states = await Promise.all(sentinels.map(({ client }) => client.info('sentinel')));
    return states.every((state) => state.includes(`slaves=${REPLICAS},sentinels=${SENTINELS}`));
  }, { withinMs: 30_000 }); // prettier-ignore

  return {
    env: { REDIS_SENTINELS: sentinels.map(({ port }) => `redis://127.0.0.1:${port}`).join(',') },
    nodes,
    close: async () =>
      void (await Promise.all([...sentinels, ...nodes].map((node) => node.kill()))),
  };
}
