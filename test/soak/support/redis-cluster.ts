import { until } from '../../support/until.js';
import { freePort } from '../../support/free-port.js';
import { startNode, untilInStep, type RedisNode, type RedisSet } from './redis-node.js';

const SLOTS = 16_384;
const MASTERS = 3;
/** A node that is silent for so long counts as dead. Redis' default is 15 seconds. */
const NODE_TIMEOUT_MS = 2_000;

/** Three masters and a replica for each. */
export async function startRedisCluster(): Promise<RedisSet> {
  const nodes: RedisNode[] = [];
  const buses: number[] = [];
  for (let index = 0; index < 2 * MASTERS; index++) {
    const bus = await freePort();
    buses.push(bus);
    nodes.push(await startNode(['cluster-enabled yes', `cluster-port ${bus}`, `cluster-node-timeout ${NODE_TIMEOUT_MS}`, 'save ""'])); // prettier-ignore
  }
  const [first] = nodes as [RedisNode];
  const masters = nodes.slice(0, MASTERS);
  for (const [index, { client }] of masters.entries()) {
    const from = Math.ceil((index * SLOTS) / MASTERS);
    const to = Math.ceil(((index + 1) * SLOTS) / MASTERS) - 1;
    await client.cluster('SET-CONFIG-EPOCH', index + 1);
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
  }
  for (const [index, { port }] of nodes.entries()) {
    if (index > 0) await first.client.call('CLUSTER', 'MEET', '127.0.0.1', port, buses[index] ?? 0);
  }
  const everywhere = async (what: string, isSo: (state: string) => boolean): Promise<void> => {
    await until(what, async () => {
      const states = await Promise.all(nodes.map(({ client }) => client.cluster('INFO')));
      return states.every(isSo);
    }, { withinMs: 30_000 }); // prettier-ignore
  };
  await everywhere('all nodes know each other', (state) =>
    state.includes(`cluster_known_nodes:${nodes.length}`),
  );
  for (const [index, { client }] of nodes.slice(MASTERS).entries()) {
    const id = await masters[index]?.client.cluster('MYID');
    await until('the replica knows its master', async () =>
      String(await client.cluster('NODES')).includes(String(id)),
    );
    await client.cluster('REPLICATE', String(id));
  }
  await everywhere('the cluster serves', (state) => state.includes('cluster_state:ok'));
  await untilInStep(nodes, { replicas: MASTERS });

  return {
    env: { REDIS_CLUSTER_NODES: nodes.map(({ port }) => `redis://127.0.0.1:${port}`).join(',') },
    nodes,
    close: async () => void (await Promise.all(nodes.map((node) => node.kill()))),
  };
}
