import { until } from '../../support/until.js';
import { startForwarder, type Forwarder } from '../../support/forwarder.js';
import { freePort } from '../../support/free-port.js';
import { startNode, type RedisNode } from './redis-node.js';

const SLOTS = 16_384;
const MASTERS = 3;

/** Redis in one of the topologies, with a relay in front of every server that holds data. */
export interface Topology {
  /** For the app. */
  env: Record<string, string>;
  /** Servers that hold data; all of them are masters. */
  masters: readonly RedisNode[];
  sentinels: readonly RedisNode[];
  forwarders: readonly Forwarder[];
  close(): Promise<void>;
}

type Settings = readonly string[];

async function relayed(settings: (port: number) => Settings): Promise<[RedisNode, Forwarder]> {
  const place: { node?: RedisNode } = {};
  const forwarder = await startForwarder({ to: () => place.node?.port ?? 0 });
  place.node = await startNode(['save ""', ...settings(forwarder.port)]);
  return [place.node, forwarder];
}

function topology(
  env: Record<string, string>,
  pairs: readonly [RedisNode, Forwarder][],
  sentinels: readonly RedisNode[] = [],
): Topology {
  const masters = pairs.map(([node]) => node);
  const forwarders = pairs.map(([, forwarder]) => forwarder);
  return {
    env,
    masters,
    sentinels,
    forwarders,
    async close() {
      await Promise.all([...masters, ...sentinels].map((node) => node.kill()));
      await Promise.all(forwarders.map((forwarder) => forwarder.close()));
    },
  };
}

export async function startSingle(settings: Settings = []): Promise<Topology> {
  const pair = await relayed(() => settings);
  return topology({ REDIS_URL: `redis://127.0.0.1:${pair[1].port}` }, [pair]);
}

/** One Sentinel, which names the relay as the master. */
export async function startSentinel(
  settings: Settings = [],
  ofSentinel: Settings = [],
): Promise<Topology> {
  const pair = await relayed(() => settings);
  const monitor = ['sentinel monitor mymaster 127.0.0.1', pair[1].port, 1].join(' ');
  const lasting = 'sentinel down-after-milliseconds mymaster 600000'; // it declares nobody dead
  const sentinel = await startNode([monitor, lasting, ...ofSentinel], { sentinel: true });
  return topology({ REDIS_SENTINELS: `redis://127.0.0.1:${sentinel.port}` }, [pair], [sentinel]);
}

/** Three masters that announce their relays. */
export async function startCluster(settings: Settings = []): Promise<Topology> {
  const pairs: [RedisNode, Forwarder][] = [];
  const buses: number[] = [];
  for (let index = 0; index < MASTERS; index += 1) {
    const bus = await freePort();
    buses.push(bus);
    const ofNode = (port: number): Settings => [
      'cluster-enabled yes',
      `cluster-port ${bus}`,
      `cluster-announce-port ${port}`,
      `cluster-announce-bus-port ${bus}`,
      'cluster-announce-ip 127.0.0.1',
      ...settings,
    ];
    pairs.push(await relayed(ofNode));
  }
  for (const [index, [{ client }]] of pairs.entries()) {
    const from = Math.ceil((index * SLOTS) / MASTERS);
    const to = Math.ceil(((index + 1) * SLOTS) / MASTERS) - 1;
    await client.cluster('SET-CONFIG-EPOCH', index + 1);
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    const [first] = pairs[0] ?? [];
    if (index > 0) await first?.client.call('CLUSTER', 'MEET', '127.0.0.1', pairs[index]?.[0].port ?? 0, buses[index] ?? 0); // prettier-ignore
  }
  await until('the cluster serves', async () => {
    const states = await Promise.all(pairs.map(([{ client }]) => client.cluster('INFO')));
    return states.every((state) => state.includes('cluster_state:ok') && state.includes('known_nodes:3'));
  }, { withinMs: 30_000 }); // prettier-ignore
  return topology(
    { REDIS_CLUSTER_NODES: pairs.map(([, { port }]) => `redis://127.0.0.1:${port}`).join(',') },
    pairs,
  );
}
