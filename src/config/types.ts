import type { Secret } from '../secret.js';
import type { Values } from './variables.js';

/** Final types only: URLs, milliseconds, lists. Frozen; secrets are printed as "[secret]". */
export interface Config {
  readonly production: boolean;
  readonly developerPages: boolean;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: URL;
  /** The hosts that browsers hold to https once they have seen PUBLIC_URL. */
  readonly hsts: Values['HSTS'];
  readonly trustProxy: number | readonly string[];
  readonly getbill: GetbillConfig;
  readonly webhooks: WebhooksConfig;
  readonly session: {
    readonly secrets: Secret<readonly string[]>;
    readonly idleMs: number;
    readonly maxMs: number;
  };
  readonly tokenEncryptionKeys: Secret<readonly Buffer[]>;
  readonly refreshMarginMs: number;
  readonly redis: RedisConfig | undefined;
  readonly rateLimits: {
    readonly login: number;
    readonly callback: number;
    readonly api: number;
    readonly pages: number;
    readonly refresh: number;
  };
  readonly flowInspector: boolean;
  readonly tour: boolean;
  /** The page of the sandbox, in a demo: a learning tool is on, and GetBill is on this machine. */
  readonly sandboxUrl: URL | undefined;
  readonly keepAliveMs: number;
  readonly drainDelayMs: number;
  readonly logLevel: string;
  readonly metricsToken: Secret | undefined;
}

export interface SecretMade {
  readonly knownBy: 'setting' | 'file';
  readonly atMs: number;
}

export interface GetbillConfig {
  readonly clientId: string;
  readonly clientSecrets: readonly Secret[];
  /** When the first of them was made, as far as that is known. */
  readonly clientSecretMade: SecretMade | undefined;
  /** Text, not a URL: it must equal a registered URI byte for byte. */
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly authorizeUrl: URL;
  readonly tokenUrl: URL;
  readonly apiUrl: URL;
  readonly revokeUrl: URL | undefined;
  readonly issuer: string | undefined;
  readonly caFile: string | undefined;
  readonly tlsPins: readonly string[];
  readonly tlsPinsReportOnly: boolean;
  readonly timeoutMs: number;
  readonly proxy: ProxyConfig;
}

export interface WebhooksConfig {
  /** Empty: webhooks are off. */
  readonly endpoints: readonly WebhookEndpointConfig[];
  /** Paths to an event's id and time in the body, which GetBill does not document; empty: none. */
  readonly idField: string;
  readonly timeField: string;
  /** Replicas of Redis that must have an event before it is acknowledged. */
  readonly replicas: number;
}

export interface WebhookEndpointConfig {
  /** `/webhooks/getbill/<name>`; empty: `/webhooks/getbill`. */
  readonly name: string;
  readonly companyId: string;
  readonly secrets: Secret<readonly string[]>;
}

/** The proxy for calls to GetBill, by the protocol of the call; both `undefined`: none. */
export interface ProxyConfig {
  /** Secret, since the URLs may hold a password. Also for https, where that has none. */
  readonly http: Secret | undefined;
  readonly https: Secret | undefined;
  /** Hosts that are called directly, as `NO_PROXY` lists them. */
  readonly except: string;
}

export interface RedisConfig {
  readonly topology: 'single' | 'sentinel' | 'cluster';
  /** Secret, since the URLs may hold the password. */
  readonly urls: Secret<readonly [URL, ...URL[]]>;
  readonly sentinelName?: string;
  readonly caFile?: string | undefined;
  /** In front of every key. */
  readonly keyPrefix?: string;
  readonly password?: Secret | undefined;
  /** Read again at every connection, since the password in it may change. */
  readonly passwordFile?: string | undefined;
  /** User and password of the Sentinels, where they are not those of Redis. */
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: Secret | undefined;
  readonly sentinelPasswordFile?: string | undefined;
}
