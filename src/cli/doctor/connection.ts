import type { GetbillConfig } from '../../config/config.js';
import { createPinCheck, pinsOf } from '../../getbill/tls-pins.js';
import { fail, pass, warn, type Check, type Result } from './check.js';
import { explainConnection } from './explain-connection.js';
import { proxyFor } from '../../getbill/proxy.js';
import { examineAll, placesOf, tlsPlacesOf, type Place } from './places.js';
import { lookAtPort, lookAtTls } from './tls.js';

const DAY_MS = 86_400_000;
const RENEW_WITHIN_DAYS = 14;
const CLOCK_WARN_MS = 30_000;
const CLOCK_FAIL_MS = 300_000;

export const connectionChecks: readonly Check[] = [
  {
    name: 'GetBill reachable',
    examine: ({ config: { getbill } }) =>
      examineAll(placesOf(getbill), (place) => reach(place, getbill)),
  },
  {
    name: 'GetBill certificate',
    needs: 'GetBill reachable',
    examine: ({ config: { getbill }, now }) =>
      examineAll(tlsPlacesOf(getbill), (place) => certificate(place, getbill, now())),
  },
  {
    name: 'GetBill pins',
    needs: 'GetBill certificate',
    async examine({ config: { getbill } }) {
      if (getbill.tlsPins.length === 0) return undefined;
      return examineAll(tlsPlacesOf(getbill), (place) => pins(place, getbill));
    },
  },
  {
    name: 'clock',
    needs: 'GetBill pins',
    async examine({ tokenResponse }) {
      const response = await tokenResponse().catch(() => undefined); // the next check says why
      const theirsMs = Date.parse(response?.headers.date ?? '') + 500; // whole seconds
      return response === undefined || Number.isNaN(theirsMs)
        ? undefined
        : judgeClock(response.atMs - theirsMs);
    },
  },
];

async function reach(
  { url, variable }: Place,
  { timeoutMs, caFile, proxy }: GetbillConfig,
): Promise<Result> {
  const through = proxyFor(url, proxy);
  const way =
    through === undefined ? '' : ` through the proxy ${through.url.host} (${through.variable})`;
  try {
    if (url.protocol === 'https:') {
      await lookAtTls(url, { caFile, proxy, timeoutMs });
      return pass(`${url.host}${way}`);
    }
    await lookAtPort(url, { timeoutMs, proxy });
  } catch (error) {
    return explainConnection(error, { url, variable, timeoutMs });
  }
  const seen = await lookAtTls(url, { caFile, proxy, timeoutMs: 1_000 }).catch(() => undefined);
  if (seen === undefined) return pass(`${url.host}${way}, over plain http`);
  return fail(
    `${variable} says http, but ${url.host} speaks https`,
    `write https:// in ${variable}`,
  );
}

async function certificate(
  { url, variable }: Place,
  config: GetbillConfig,
  nowMs: number,
): Promise<Result> {
  const { certificate: leaf, refusedAs } = await lookAtTls(url, config);
  const until = new Date(leaf.valid_to);
  const day = until.toISOString().slice(0, 10);
  if (refusedAs !== undefined) {
    const place = { url, variable, timeoutMs: config.timeoutMs };
    const { cause = '', fix = '' } = explainConnection({ code: refusedAs }, place);
    return fail(`${cause}; it is valid until ${day}`, fix);
  }
  const days = Math.floor((until.getTime() - nowMs) / DAY_MS);
  if (days >= RENEW_WITHIN_DAYS) return pass(`${url.host}, valid until ${day}`);
  return warn(
    `the certificate of ${url.host} ends in ${days} days, on ${day}`,
    'ask its owner to renew it; with pins, have the next key in GETBILL_TLS_PINS before',
  );
}

async function pins({ url, variable }: Place, config: GetbillConfig): Promise<Result> {
  const { certificate: leaf } = await lookAtTls(url, config);
  const check = createPinCheck({
    config: { ...config, tlsPinsReportOnly: false },
    emit: () => undefined,
  });
  const refusal = check(url.hostname, leaf);
  if (refusal === undefined) return pass(`${url.host} has a pinned key`);
  const { cause = '' } = explainConnection(refusal, { url, variable, timeoutMs: config.timeoutMs });
  const fix = `if GetBill has announced new keys, put them into GETBILL_TLS_PINS; this connection shows ${pinsOf(leaf).join(', ')}, which you must compare with what GetBill says before you believe it`;
  return config.tlsPinsReportOnly ? warn(cause, fix) : fail(cause, fix);
}

/** @param aheadMs how far the clock of this machine is ahead of GetBill's. */
function judgeClock(aheadMs: number): Result {
  const offMs = Math.abs(aheadMs);
  const far =
    offMs < 60_000
      ? `${Math.round(offMs / 1000)} seconds`
      : `${Math.round(offMs / 60_000)} minutes`;
  if (offMs < CLOCK_WARN_MS) return pass('agrees with GetBill');
  const warnOrFail = offMs < CLOCK_FAIL_MS ? warn : fail;
  return warnOrFail(
    `the clock of this machine is ${far} ${aheadMs > 0 ? 'ahead of' : 'behind'} GetBill's: certificates, rate limits and log times go wrong`,
    'let NTP set the clock: timedatectl set-ntp true, or start chronyd; in a container, on its host',
  );
}
