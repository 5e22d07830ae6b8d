import { explanationOf } from '../../oauth-explanations.js';
import { fail, type Result } from './check.js';
import { ProxyError } from './proxy.js';

interface Place {
  readonly url: URL;
  /** The variable that holds the address. */
  readonly variable: string;
  readonly timeoutMs: number;
}

/** Why a call got no usable response and what to do: by the code of the error, not its text. */
export function explainConnection(error: unknown, place: Place): Result {
  if (error instanceof ProxyError) return explainProxy(error, place);
  const code = codeOf(error);
  const oauthError = explanationOf(code);
  if (oauthError !== undefined) return fail(`${code}: ${oauthError.cause}`, oauthError.fix);
  const [cause, fix] = Object.hasOwn(BY_CODE, code)
    ? (BY_CODE[code] ?? unknown)(place)
    : unknown(place);
  return fail(`${cause} (${code})`, fix);
}

function explainProxy({ proxy, status, cause }: ProxyError, place: Place): Result {
  const { url, variable } = proxy;
  if (status === undefined) return explainConnection(cause, { ...place, url, variable });
  if (status === 407) {
    return fail(
      `the proxy ${url.host} wants a name and password (407)`,
      `write them into ${variable}: ${url.protocol}//name:password@${url.host}`,
    );
  }
  return fail(
    `the proxy ${url.host} does not lead to ${where(place)} (it answered ${status})`,
    `let the proxy allow ${where(place)}; where it can be reached directly, add ${place.url.hostname} to NO_PROXY`,
  );
}

/**
 * The code nearest to the socket: undici and our own errors wrap what happened there. Not
 * `instanceof`: it may be of another realm.
 */
export function codeOf(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  const inner = cause === undefined ? NO_CODE : codeOf(cause);
  if (inner !== NO_CODE) return inner;
  return typeof code === 'string' ? code : NO_CODE;
}

const NO_CODE = 'no code';

type Explanation = (place: Place) => readonly [cause: string, fix: string];

const where = ({ url }: Place): string => url.host;
const named = (place: Place): string =>
  isProxy(place) ? `the proxy ${where(place)}` : where(place);
const isProxy = ({ variable }: Place): boolean => variable.endsWith('_PROXY');
/** GETBILL_CA_FILE is for the certificate of GetBill only. */
const caSetting = (place: Place): string => {
  if (isProxy(place)) return 'set NODE_EXTRA_CA_CERTS to';
  return place.variable === '--url' ? 'pass --url-ca-file with' : 'set GETBILL_CA_FILE to';
};
const unknown: Explanation = (place) => [
  `${named(place)} gave no usable response`,
  `try: curl -v ${place.url.origin}`,
];

const notFound: Explanation = (place) => [
  `no such host: DNS does not know ${place.url.hostname}`,
  `correct ${place.variable}; if the name is right, this machine has no working DNS: try getent hosts ${place.url.hostname}`,
];
const refused: Explanation = (place) => [
  `nothing listens at ${where(place)}`,
  `correct host and port in ${place.variable}, or start what should be there`,
];
const silent: Explanation = (place) => [
  `${named(place)} did not answer within ${place.timeoutMs} ms`,
  `open the way to ${named(place)} in the firewall, or correct ${place.variable}; on a slow line raise GETBILL_TIMEOUT_MS`,
];
const cut: Explanation = (place) => [
  `${named(place)} closed the connection without a response`,
  `check that ${place.variable} has the right port and scheme; a firewall may also cut the connection`,
];
const unreachable: Explanation = (place) => [
  `there is no route to ${where(place)}`,
  'check the network of this machine, and its proxy or VPN',
];
const plain: Explanation = (place) => [
  `${place.variable} says https, but ${where(place)} speaks plain http`,
  `write the https port in ${place.variable}; http:// is right only for a GetBill sandbox on this machine`,
];
const expired: Explanation = (place) => [
  `the certificate of ${where(place)} has expired`,
  'its owner must renew it (a TLS-inspecting proxy counts as owner); if the dates look right, correct the clock here',
];
const notYetValid: Explanation = (place) => [
  `the certificate of ${where(place)} is not valid yet`,
  'correct the clock of this machine',
];
const untrusted: Explanation = (place) => [
  `nobody this machine trusts vouches for the certificate of ${where(place)}`,
  `${caSetting(place)} the PEM file of the private CA that signed it; never switch certificate checks off`,
];
const otherName: Explanation = (place) => [
  `the certificate at ${where(place)} is for another host`,
  `write the host name of the certificate in ${place.variable}`,
];
const busy: Explanation = (place) => [
  `${where(place)} is overloaded, or has an error of its own`,
  'wait a moment and run this again; if it stays, ask GetBill',
];
const tooLarge: Explanation = (place) => [
  `${where(place)} gave a response that is too large`,
  `correct ${place.variable}, or what a proxy or firewall puts in place of the response`,
];
const otherPin: Explanation = (place) => [
  `no certificate of ${where(place)} has a key that GETBILL_TLS_PINS names`,
  'put the pins of the new keys into GETBILL_TLS_PINS',
];

const BY_CODE: Readonly<Record<string, Explanation>> = {
  ENOTFOUND: notFound,
  EAI_AGAIN: notFound,
  ECONNREFUSED: refused,
  ETIMEDOUT: silent,
  getbill_timeout: silent,
  UND_ERR_CONNECT_TIMEOUT: silent,
  UND_ERR_HEADERS_TIMEOUT: silent,
  ECONNRESET: cut,
  UND_ERR_SOCKET: cut,
  EPIPE: cut,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ERR_SSL_WRONG_VERSION_NUMBER: plain,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: plain,
  EPROTO: plain,
  CERT_HAS_EXPIRED: expired,
  CERT_NOT_YET_VALID: notYetValid,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: otherName,
  TLS_PIN_MISMATCH: otherPin,
  token_endpoint_busy: busy,
  token_endpoint_limited: busy,
  answer_too_large: tooLarge,
};
