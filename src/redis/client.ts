import { Cluster, Redis } from 'ioredis';
import type { RedisConfig } from '../config/config.js';
import { RedisOfDatabase } from './database.js';
import { credentials, readAtEachConnection } from './passwords.js';
import { forHost, tlsOptions } from './tls.js';

/** A connection that owes a reply for so long is given up, and a new one is made. */
export const SILENT_CONNECTION_MS = 2_000;
const RECONNECT_ON_ERROR_EVERY_MS = 1_000;

/**
 * Errors of the wrong node: a replica after a failover, a node that reads its data from disk, a
 * connection whose sign-in is void. A new connection finds the right one.
 */
const WRONG_NODE = /^(READONLY|MASTERDOWN|LOADING|NOAUTH)/;

/**
 * One client for any topology. It fails fast: no command is queued while Redis is away. This file
 * decides how long a connection may be silent, `core/storage/redis.ts` how long a command may take.
 * `pipelined`: commands of one turn of the event loop, or given while others are under way, go in
 * one write. Not on a Cluster, where ioredis follows a moved slot only if the whole pipeline was
 * refused.
 */
export function createRedis(
  config: RedisConfig,
  { pipelined = false }: { pipelined?: boolean } = {},
): Redis | Cluster {
  const create = { single: createSingle, sentinel: createSentinel, cluster: createCluster };
  return create[config.topology](nodesOf(config, { pipelined }), config);
}

type Nodes = ReturnType<typeof nodesOf>;

/** Where the nodes or Sentinels are, and how a connection to a node is made and kept. */
function nodesOf(config: RedisConfig, { pipelined }: { pipelined: boolean }) {
  const urls = config.urls.reveal();
  const addresses = urls.map((url) => address(url, DEFAULT_PORT[config.topology]));
  const hosts = addresses.map(({ host }) => host);
  const tls = urls[0].protocol === 'rediss:' ? tlsOptions(hosts, config) : undefined;
  const { username, ...passwords } = credentials(config);
  const options = {
    ...(username !== undefined && { username }),
    ...(tls !== undefined && { tls }),
    keyPrefix: config.keyPrefix ?? '',
    enableAutoPipelining: pipelined && config.topology !== 'cluster',
    lazyConnect: true,
    enableOfflineQueue: false,
    enableReadyCheck: false, // LOADING is answered by a new connection; an ACL need not allow INFO
    maxRetriesPerRequest: 1,
    connectTimeout: 1000,
    disconnectTimeout: 200,
    socketTimeout: SILENT_CONNECTION_MS,
    retryStrategy: reconnectAfterMs,
    reconnectOnError: atMostEvery(RECONNECT_ON_ERROR_EVERY_MS, ({ message }) =>
      WRONG_NODE.test(message),
    ),
  };
  return { addresses, tls, options, ...passwords };
}

function createSingle({ addresses, tls, options, password }: Nodes, { urls }: RedisConfig): Redis {
  const [{ protocol, pathname }] = urls.reveal();
  if (protocol === 'unix:') {
    const redis = new Redis({ ...options, path: decodeURIComponent(pathname) });
    return readAtEachConnection(redis, { password });
  }
  const redis = new RedisOfDatabase({
    ...options,
    ...addresses[0],
    ...(tls !== undefined && { tls: forHost(addresses[0]?.host ?? '', tls) }),
    db: Number(pathname.slice(1)) || 0,
  });
  return readAtEachConnection(redis, { password });
}

function createSentinel(
  { addresses, tls, options, password, sentinelUsername, sentinelPassword }: Nodes,
  { sentinelName = 'mymaster' }: RedisConfig,
): Redis {
  const redis = new Redis({
    ...options,
    enableReadyCheck: true, // its INFO shows whether the node is the master
    maxLoadingRetryTime: 1000,
    sentinels: addresses,
    name: sentinelName,
    ...(sentinelUsername !== undefined && { sentinelUsername }),
    ...(tls !== undefined && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: 1000,
    sentinelRetryStrategy: () => null, // `connectStorage` tries again, but not at the start
    failoverDetector: true,
  });
  return readAtEachConnection(redis, { password, sentinelPassword });
}

function createCluster({ addresses, tls, options, password }: Nodes): Cluster {
  const cluster = new Cluster(addresses, {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: reconnectAfterMs,
    slotsRefreshTimeout: 1000,
    // By name, not by the address behind it: a certificate may hold names only.
    dnsLookup: (host, done) => done(null, host),
    redisOptions: options,
  });
  cluster.on('+node', (node: Redis) => {
    if (tls !== undefined) node.options.tls = forHost(node.options.host ?? '', tls);
    readAtEachConnection(node, { password });
  });
  return cluster;
}

const reconnectAfterMs = (attempt: number): number => Math.min(attempt * 50, 1000);

/** Keeps a node that always gives such errors from being connected to over and over. */
function atMostEvery(intervalMs: number, isMatch: (error: Error) => boolean) {
  let lastMs = -Infinity;
  return (error: Error): boolean => {
    if (!isMatch(error) || performance.now() - lastMs < intervalMs) return false;
    lastMs = performance.now();
    return true;
  };
}

/** The port of a URL without one; Sentinels listen on a port of their own. */
export const DEFAULT_PORT = { single: 6379, sentinel: 26379, cluster: 6379 } as const;

const address = ({ hostname, port }: URL, defaultPort: number): { host: string; port: number } => ({
  host: hostname.replace(/^\[|\]$/g, ''),
  port: Number(port) || defaultPort,
});
