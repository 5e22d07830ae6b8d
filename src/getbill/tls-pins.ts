import { hash, X509Certificate } from 'node:crypto';
import { checkServerIdentity, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls';
import type { GetbillConfig } from '../config/config.js';
import type { Emit } from '../events.js';
import { boundedMap } from '../limits/bounded-map.js';

/** An attacker between us and GetBill may show a new key at every connection. */
const MAX_REPORTED = 100;

export type PinCheck = (host: string, certificate: PeerCertificate) => Error | undefined;

/**
 * After the usual check of the host name: one certificate of the chain must have a pinned key
 * (base64 SHA-256 of its SubjectPublicKeyInfo, RFC 7469 section 2.4). In report-only mode a miss is
 * an event and nothing else, one for each key that a host shows.
 */
export function createPinCheck({
  config,
  emit,
}: {
  config: Pick<GetbillConfig, 'tlsPins' | 'tlsPinsReportOnly'>;
  emit: Emit;
}): PinCheck {
  const pins = new Set(config.tlsPins);
  const reported = boundedMap<true>({ max: MAX_REPORTED });
  return function checkPins(host, certificate) {
    const mismatch = checkServerIdentity(host, certificate);
    if (mismatch !== undefined) return mismatch;
    const shown = pinsOf(certificate as DetailedPeerCertificate);
    if (shown.some((pin) => pins.has(pin))) return undefined;
    if (!config.tlsPinsReportOnly) {
      return Object.assign(new Error('no certificate of the chain has a pinned key'), {
        code: 'TLS_PIN_MISMATCH',
      });
    }
    const miss = `${host} ${shown[0]}`;
    if (reported.get(miss) === undefined)
      emit({ type: 'tls_failed', host, reason: 'TLS_PIN_MISMATCH_REPORT_ONLY' });
    reported.set(miss, true);
    return undefined;
  };
}

/** The pins of the whole chain, the server's own first. */
export const pinsOf = (leaf: DetailedPeerCertificate): string[] =>
  chainOf(leaf).map(({ raw }) => pinOf(raw));

const pinOf = (der: Buffer): string =>
  hash(
    'sha256',
    new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' }),
    'base64',
  );

function chainOf(leaf: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain = [leaf];
  for (
    let link = leaf.issuerCertificate as DetailedPeerCertificate | undefined;
    link !== undefined;
    link = link.issuerCertificate
  ) {
    if (chain.includes(link)) break; // a root is its own issuer
    chain.push(link);
  }
  return chain;
}
