import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { RedisConfig } from '../config/config.js';

/**
 * A Cluster or a Sentinel may name a node by its address although its certificate holds names only.
 * Then the certificate must be valid for one of the names in the configuration.
 */
export function tlsOptions(hosts: readonly string[], { caFile }: RedisConfig): ConnectionOptions {
  const names = hosts.filter((host) => isIP(host) === 0);
  return {
    ...(caFile !== undefined && { ca: readFileSync(caFile) }),
    checkServerIdentity(host, certificate) {
      const error = checkServerIdentity(host, certificate);
      const isNamed = (name: string): boolean =>
        checkServerIdentity(name, certificate) === undefined;
      return isIP(host) !== 0 && names.some(isNamed) ? undefined : error;
    },
  };
}

/** With the host name (SNI), which a managed Redis may need; Node does not send it by itself. */
export const forHost = (host: string, tls: ConnectionOptions): ConnectionOptions =>
  isIP(host) === 0 ? { ...tls, servername: host } : tls;
