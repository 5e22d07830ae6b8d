/** The settings that an explanation may name. */
export interface Settings {
  /** The variable that says where Redis is. */
  readonly variable: string;
  /** The variables that hold user and password. */
  readonly user: string;
  readonly password: string;
  /** The words of Redis or of the socket. */
  readonly said: string;
}

export type Explanation = (settings: Settings) => readonly [cause: string, fix: string];

export const unknown: Explanation = ({ variable }) => [
  'Redis does not answer',
  `is Redis running where ${variable} says, with TLS where that is rediss://, and is the way there open?`,
];
export const unknownReply: Explanation = () => [
  'Redis does not carry out the commands of the app',
  'look into the log of Redis',
];

export const handshakeFailed: Explanation = () => [
  'Redis and the app agree on no TLS: Redis wants a certificate of its clients, or another version or cipher',
  'in redis.conf set tls-auth-clients no (the app shows a password), and leave tls-protocols and tls-ciphers unset',
];

const wrongPassword: Explanation = ({ variable, user, password }) => [
  'Redis refuses our name or password',
  password === variable
    ? `put the right ones into ${variable}: rediss://name:password@host:port; special characters percent-encoded`
    : `put the right password into ${password}, and the name into ${user}`,
];
const untrusted: Explanation = () => [
  'the certificate of Redis is not trusted here',
  'set REDIS_CA_FILE to the PEM file of its CA',
];
const badDates: Explanation = () => [
  'the certificate of Redis has expired, or is not valid yet',
  'renew it; if its dates look right, correct the clock of this machine',
];
const notFound: Explanation = ({ variable }) => [
  `DNS does not know the host in ${variable}`,
  `correct the host in ${variable}`,
];
const oneOfCluster: Explanation = ({ variable }) => [
  `${variable} names one node of a Cluster, which holds only a part of the keys`,
  `name it in REDIS_CLUSTER_NODES instead, and unset ${variable}`,
];
const replica: Explanation = ({ variable }) => [
  'this Redis is a read-only replica: nobody could sign in',
  `let ${variable} name the primary; where the primary may change, use REDIS_SENTINELS`,
];
/** By the code of the reply or of the socket. */
export const REASONS: Readonly<Record<string, Explanation>> = {
  ECONNREFUSED: ({ variable }) => [
    `nothing listens where ${variable} points`,
    `start Redis, or correct host and port in ${variable}`,
  ],
  ENOENT: ({ variable }) => [
    `there is no socket where ${variable} points`,
    `start Redis, or correct the path in ${variable}`,
  ],
  EACCES: ({ variable }) => [
    `this user may not use the socket that ${variable} names`,
    'let redis.conf give it to the group of this user: unixsocketperm 770',
  ],
  ENOTFOUND: notFound,
  EAI_AGAIN: notFound,
  ECONNRESET: () => [
    'Redis closed the connection',
    'TLS on one side only (rediss:// is with TLS, redis:// without), or does Redis want a certificate (tls-auth-clients)?',
  ],
  'Unknown RESP type': ({ variable }) => [
    `what answers where ${variable} points is no Redis`,
    `correct host and port in ${variable}`,
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: ({ variable }) => [
    `${variable} says TLS, but Redis speaks without`,
    `write redis:// in ${variable}, or switch TLS on in Redis`,
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: ({ variable }) => [
    'the certificate of Redis is for another host',
    `write a host name of the certificate in ${variable}`,
  ],
  CERT_HAS_EXPIRED: badDates,
  CERT_NOT_YET_VALID: badDates,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  WRONGPASS: wrongPassword,
  NOAUTH: (settings) => ['Redis wants a password and was sent none', wrongPassword(settings)[1]],
  DENIED: ({ password }) => [
    'Redis is in protected mode: without a password it serves only its own machine',
    `set a password there (requirepass in redis.conf) and in ${password}`,
  ],
  NO_DATABASE: ({ variable }) => [
    `Redis does not let us use the database that ${variable} names`,
    `correct the number at the end of ${variable}, or let its user select one (ACL SETUSER name +select)`,
  ],
  NOPERM: ({ said }) => [
    'this Redis user may not run the commands of the app',
    `give it the rights that docs/operations.md lists: ACL SETUSER name ~* +@all -@admin -@dangerous, or +@read +@write +@scripting; Redis says: ${said}`,
  ],
  'ERR unknown command': ({ said }) => [
    'Redis does not know a command of the app: it has another name there, or is too new',
    `take its rename-command out of redis.conf, and run Redis 7 or newer; Redis says: ${said}`,
  ],
  'ERR syntax error': () => [
    'Redis does not understand a command of the app: SET with NX and GET together needs version 7',
    'run Redis 7 or newer',
  ],
  'ERR max number of clients': () => [
    'Redis takes no more connections',
    'raise maxclients in redis.conf, and look at who holds them: redis-cli CLIENT LIST',
  ],
  CLUSTER_NODE: oneOfCluster,
  MOVED: oneOfCluster,
  CLUSTERDOWN: () => [
    'the Cluster does not serve its keys',
    'look at redis-cli --cluster check host:port: a slot without a master, or too few masters that see each other',
  ],
  READONLY: replica,
  MASTERDOWN: replica,
  NOREPLICAS: () => [
    'Redis takes no writes because fewer replicas follow than min-replicas-to-write says',
    'bring the replicas back, or lower min-replicas-to-write in redis.conf',
  ],
  LOADING: () => ['Redis is still reading its data from disk', 'wait a moment and run this again'],
  OOM: () => [
    'Redis is full',
    'raise maxmemory in redis.conf (at once: redis-cli CONFIG SET maxmemory), and look at what fills it: redis-cli --bigkeys',
  ],
  MISCONF: () => [
    'Redis takes no writes because it cannot save to disk',
    'make room on its disk; its log says more',
  ],
  BUSY: () => [
    'Redis runs a script or function that does not end, and nothing else',
    'end it: redis-cli SCRIPT KILL, or FUNCTION KILL; the app has none that lasts, so who else uses this Redis?',
  ],
  'Redis did not answer in time': () => [
    'Redis takes longer than half a second for a command',
    'run Redis near the app: same region, same network; look for slow commands with redis-cli SLOWLOG GET',
  ],
};
