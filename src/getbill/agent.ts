import { readFileSync } from 'node:fs';
import { Agent, Client, EnvHttpProxyAgent, Pool, type Dispatcher } from 'undici';
import type { GetbillConfig } from '../config/config.js';
import type { PinCheck } from './tls-pins.js';

/**
 * A pooled connection is closed after this time, so that a DNS change is followed within a minute.
 */
const CONNECTION_LIFETIME_MS = 30_000;
/** Idle connections are closed before a NAT or load balancer forgets them without a word. */
const KEEP_ALIVE_MS = 4_000;

export interface AgentOptions {
  readonly config: Pick<GetbillConfig, 'caFile' | 'timeoutMs' | 'proxy'>;
  /** `undefined`: no pins. */
  readonly checkPins: PinCheck | undefined;
  /** At most so many connections per origin; further calls wait. */
  readonly connections: number;
  /** `false`: a new connection for every call. */
  readonly keepAlive: boolean;
}

/** Given as `opaque` with a request; tells afterwards how the request was sent. */
export interface SentOver {
  /** The connection had been used before, so the other side may have closed it. */
  keptConnection: boolean;
}

/**
 * A connection pool: certificates and pins checked, through the proxy that `HTTPS_PROXY`,
 * `HTTP_PROXY` and `NO_PROXY` name. Deadlines are the caller's, except the one for a connection to
 * be made.
 */
export function createAgent({
  config,
  checkPins,
  connections,
  keepAlive,
}: AgentOptions): Dispatcher {
  const { caFile, timeoutMs, proxy } = config;
  const connection = {
    timeout: timeoutMs,
    autoSelectFamily: true,
    // Node's 250 ms would give up a slow address for an unreachable one, long before our deadline
    autoSelectFamilyAttemptTimeout: Math.ceil(timeoutMs / 2),
  };
  const secureConnection = {
    ...connection,
    ...(caFile !== undefined && { ca: readFileSync(caFile) }),
    ...(checkPins !== undefined && { checkServerIdentity: checkPins }),
  };
  const options: Agent.Options = {
    connections,
    pipelining: keepAlive ? 1 : 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS, // also where the server's Keep-Alive header allows more
    clientTtl: CONNECTION_LIFETIME_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: secureConnection,
    factory: (origin, poolOptions: Pool.Options) =>
      new Pool(origin, { ...poolOptions, factory: createClient }),
  };
  if (proxy.http === undefined && proxy.https === undefined) return new Agent(options);
  return new EnvHttpProxyAgent({
    ...options,
    httpProxy: proxy.http?.reveal() ?? '', // given, so that undici does not read process.env
    httpsProxy: proxy.https?.reveal() ?? '',
    noProxy: proxy.except,
    requestTls: secureConnection,
    proxyTls: connection,
    clientFactory: (origin, connectOptions: Pool.Options) =>
      new ProxyPool(origin, { ...connectOptions, headersTimeout: timeoutMs }), // of CONNECT
  });
}

const createClient = (origin: URL, options: object): Client =>
  new KeptConnectionClient(origin, options);

/** Notes whether a request goes out on a connection that has been used before. */
class KeptConnectionClient extends Client {
  override dispatch(
    options: Dispatcher.DispatchOptions & { opaque?: SentOver | null },
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    if (options.opaque) options.opaque.keptConnection = this.stats.connected;
    return super.dispatch(options, handler);
  }
}

/**
 * Connections to a proxy. One that hangs up at CONNECT fails the call: undici would connect again
 * without a pause.
 */
class ProxyPool extends Pool {
  override connect(options: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData>;
  override connect(...args: Parameters<Pool['connect']>): void;
  override async connect(options: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData> {
    const data = await super.connect(options).catch((cause: unknown) => {
      throw new ProxyConnectError({ cause });
    });
    if (data.statusCode === 200) return data;
    data.socket.on('error', () => undefined).destroy();
    throw new ProxyConnectError({ status: data.statusCode });
  }
}

/** The proxy cannot be reached, or answered CONNECT with `status`. */
export class ProxyConnectError extends Error {
  readonly code: string;
  readonly status: number | undefined;

  constructor({ status, cause }: { status?: number | undefined; cause?: unknown }) {
    const said = status === undefined ? '' : `: it answered CONNECT with ${status}`;
    super(`the proxy makes no connection${said}`, { cause });
    const { code = 'UND_ERR' } = (cause ?? {}) as NodeJS.ErrnoException;
    // undici tries again at its own
    this.code = code.startsWith('UND_ERR') ? 'PROXY_CONNECT_FAILED' : code;
    this.status = status;
  }
}

/** The failure at the proxy that an error wraps. */
export function proxyFailureOf(error: unknown): ProxyConnectError | undefined {
  if (error instanceof ProxyConnectError) return error;
  return error instanceof Error ? proxyFailureOf(error.cause) : undefined;
}
