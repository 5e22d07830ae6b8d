import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Registry } from 'prom-client';
import type { AppEvent } from '../../src/events.js';
import { createMetrics } from '../../src/telemetry/metrics.js';

const RULES = 'docs/alert-rules.yml';
const MINUTES = 40;
/** The process is scraped for the first time before anything has happened. */
const FIRST_FAULT_AT = 2;

interface Process {
  emit: (event: AppEvent, times?: number) => void;
  storageTook: (ms: number) => void;
  setPendingWrites: (count: number) => void;
}
/** What happens between two scrapes, by the minute since the first fault. */
type Story = (process: Process, minute: number) => void;

const once =
  (...events: AppEvent[]): Story =>
  (process, minute) => {
    if (minute === 0) for (const event of events) process.emit(event);
  };
const everyMinute =
  (times: number, ...events: AppEvent[]): Story =>
  (process) => {
    for (const event of events) process.emit(event, times);
  };
const both =
  (...stories: Story[]): Story =>
  (process, minute) => {
    for (const story of stories) story(process, minute);
  };

const request = (route: string, status: number): AppEvent => ({ type: 'request_answered', method: 'GET', route, status, durationMs: 5 }); // prettier-ignore
const tokenCall = (grantType: 'refresh_token' | 'authorization_code', outcome: 'ok' | 'refused' | 'misconfigured' | 'transient'): AppEvent => ({ type: 'token_requested', grantType, outcome, status: undefined, durationMs: 5, parameters: [], shape: undefined }); // prettier-ignore
const rejected = (grant: string): AppEvent => ({ type: 'refresh_failed', grant, outcome: 'misconfigured', reason: 'invalid_client' }); // prettier-ignore
const ended = (reason: 'refused' | 'signed_out'): AppEvent => ({
  type: 'session_ended',
  grant: 'g',
  reason,
});
const started: AppEvent = { type: 'login_started', login: 'l' };
const failed = (reason: string): AppEvent => ({ type: 'login_failed', reason });
const apiCall: AppEvent = { type: 'api_called', limitClass: 'default', scope: 'debts:read', method: 'GET', route: '/debts', status: 200, durationMs: 5 }; // prettier-ignore
const apiFailure: AppEvent = { type: 'api_failed', route: '/debts', reason: 'getbill_timeout', method: 'GET', status: undefined, contentType: undefined, durationMs: 5 }; // prettier-ignore
const waited = (waitedMs: number): AppEvent => ({
  type: 'refresh_waited',
  grant: 'g',
  waitedMs,
  outcome: 'renewed',
});

const webhookRefused = (reason: string): AppEvent => ({
  type: 'webhook_refused',
  endpoint: '',
  reason,
});
const webhookFailed = (final: boolean): AppEvent => ({ type: 'webhook_failed', endpoint: '', entry: '1-1', eventType: 'debt.updated', tries: final ? 8 : 1, final, reason: 'Error' }); // prettier-ignore

const stories: [alert: string, what: string, verdict: 'fires' | 'is silent', story: Story][] = [
  ['WebhookGivenUp', 'a handler has failed for the eighth time', 'fires', once(webhookFailed(true))],
  ['WebhookGivenUp', 'a handler fails and is tried again', 'is silent', everyMinute(3, webhookFailed(false))],
  ['WebhooksNotStored', 'Redis did not take one', 'fires', once(webhookRefused('not_stored'))],
  ['WebhooksNotStored', 'one was no event', 'is silent', once(webhookRefused('not_an_event'))],
  ['WebhooksRefused', 'the secret is wrong', 'fires', everyMinute(1, webhookRefused('signature_different'))],
  ['WebhooksRefused', 'scanners send no signature', 'is silent', everyMinute(60, webhookRefused('signature_absent'))],
  ['Errors', 'all 42 calls of people fail while a balancer asks for health', 'fires', both(once(...Array<AppEvent>(42).fill(request('/debts', 502))), everyMinute(60, request('/healthz', 200), request('/readyz', 200)))],
  ['Errors', 'all calls of people fail while scanners look for unknown paths', 'fires', both(everyMinute(5, request('/api/debts', 503)), everyMinute(500, request('unmatched', 404)))],
  ['Errors', 'one in a hundred calls fails', 'is silent', both(everyMinute(1, request('/debts', 502)), everyMinute(99, request('/debts', 200)))],
  ['Errors', 'the readiness check fails and people do not', 'is silent', both(everyMinute(60, request('/readyz', 503)), everyMinute(1, request('/debts', 200)))],
  ['StorageFails', 'Redis has failed for the first time', 'fires', once({ type: 'storage_failed', operation: 'get' })],
  ['StorageFails', 'a session has expired', 'is silent', once({ type: 'session_expired' })],
  ['StorageSlow', 'a round trip takes 200 ms', 'fires', (process) => process.storageTook(200)],
  ['StorageSlow', 'a round trip takes 2 ms', 'is silent', (process) => process.storageTook(2)],
  ['WriteDelayed', 'a renewed token waits for half an hour', 'fires', (process, minute) => process.setPendingWrites(minute < 31 ? 1 : 0)],
  ['WriteDelayed', 'it was written in the end', 'is silent', (process, minute) => { if (minute === 0) process.emit({ type: 'token_write_delayed', grant: 'g' }); process.setPendingWrites(minute < 5 ? 1 : 0); }],
  ['Misconfigured', 'GetBill rejects our credentials at the first sign-in', 'fires', once(tokenCall('authorization_code', 'misconfigured'))],
  ['Misconfigured', 'it rejects the renewals of two people', 'fires', (process, minute) => process.emit(rejected(`grant ${minute % 2}`))],
  ['Misconfigured', 'it rejects the renewals of one person again and again', 'is silent', everyMinute(2, tokenCall('refresh_token', 'misconfigured'), rejected('one'))],
  ['Misconfigured', 'it rejects single renewals while others succeed', 'is silent', (process, minute) => { process.emit(rejected(`grant ${minute}`)); process.emit(tokenCall('refresh_token', 'ok')); }],
  ['SecretFallback', 'only the second secret works', 'fires', everyMinute(1, { type: 'client_secret_fallback', grantType: 'refresh_token' })],
  ['SecretFallback', 'it does, and a job every twelve minutes is all that asks', 'fires', (process, minute) => { if (minute % 12 === 0) process.emit({ type: 'client_secret_fallback', grantType: 'client_credentials' }); }],
  ['SecretFallback', 'it was so once', 'is silent', once({ type: 'client_secret_fallback', grantType: 'refresh_token' })],
  ['TokenEndpointFails', 'half of the token calls fail', 'fires', everyMinute(2, tokenCall('refresh_token', 'transient'), tokenCall('refresh_token', 'ok'))],
  ['TokenEndpointFails', 'one in fifty fails', 'is silent', both(everyMinute(1, tokenCall('refresh_token', 'transient')), everyMinute(49, tokenCall('refresh_token', 'ok')))],
  ['ApiFails', 'half of the API calls fail', 'fires', everyMinute(2, apiFailure, apiCall)],
  ['ApiFails', 'GetBill answers 5xx to half of them', 'fires', everyMinute(2, { ...apiFailure, reason: 'getbill_error' }, apiCall)],
  ['ApiFails', 'browsers leave before half of them are answered', 'is silent', everyMinute(2, { ...apiFailure, reason: 'browser_left' }, apiCall)],
  ['ApiFails', 'one session opens too many', 'is silent', everyMinute(20, { ...apiFailure, reason: 'too_many_open_calls' }, apiCall)],
  ['ApiFails', 'one in fifty fails', 'is silent', both(everyMinute(1, apiFailure), everyMinute(49, apiCall))],
  ['Certificate', 'a certificate is not trusted, once', 'fires', once({ type: 'tls_failed', host: 'getbill.io', reason: 'CERT_HAS_EXPIRED' })],
  ['Certificate', 'GetBill is slow', 'is silent', once(apiFailure)],
  ['KeyMissing', 'one record names an unknown key', 'fires', once({ type: 'key_missing', grant: 'g' })],
  ['KeyMissing', 'one record is broken', 'is silent', once({ type: 'session_broken', reason: 'not JSON' })],
  ['SignOuts', 'eleven grants are refused', 'fires', once(...Array<AppEvent>(12).fill(ended('refused')))],
  ['SignOuts', 'a hundred people sign out', 'is silent', everyMinute(100, ended('signed_out'))],
  ['SignInFails', 'all sign-ins fail', 'fires', once(...Array<AppEvent[]>(7).fill([started, failed('invalid_client')]).flat())],
  ['SignInFails', 'all fail for a reason nobody has heard of', 'fires', once(...Array<AppEvent[]>(7).fill([started, failed('brand_new')]).flat())],
  ['SignInFails', 'people say no', 'is silent', everyMinute(7, started, failed('authorization_access_denied'))],
  ['RenewalsLate', 'people wait for five seconds', 'fires', everyMinute(1, waited(5_000))],
  ['RenewalsLate', 'people wait for 50 ms', 'is silent', everyMinute(1, waited(50))],
  ['RenewalsLimited', 'one renewal is beyond RATE_LIMIT_REFRESH', 'fires', once({ type: 'refresh_failed', grant: 'g', outcome: 'limited', reason: 'refresh_rate_limited' })],
  ['RenewalsLimited', 'one visitor is beyond RATE_LIMIT_API', 'is silent', once({ type: 'rate_limited', limit: 'api' })],
  ['Quota', "GetBill's quota is used up", 'fires', once({ type: 'quota_exhausted', limitClass: 'default', retryAfterMs: 1 })],
  ['Quota', 'one person has used a share', 'is silent', once({ type: 'rate_limited', limit: 'share' })],
  ['Limited', 'requests are refused all the time', 'fires', everyMinute(60, { type: 'rate_limited', limit: 'api' })],
  ['Limited', 'one request a minute is refused', 'is silent', everyMinute(1, { type: 'rate_limited', limit: 'api' })],
]; // prettier-ignore

type Series = Map<string, string[]>;

/** What the rule of an alert reads; a scrape has a hundred times as much. */
function metricsOf(alert: string): Set<string> {
  const [, rule = ''] = readFileSync(RULES, 'utf8').split(`- alert: GetbillConnect${alert}\n`);
  return new Set(rule.split('- alert:')[0]?.match(/getbill_connect_\w+/g));
}

/** The series of one process as Prometheus stores them; `_` is a scrape that did not have the series. */
async function scrapes(alert: string, story: Story): Promise<Series> {
  const read = metricsOf(alert);
  let [nowMs, pendingWrites] = [0, 0];
  const metrics = createMetrics({
    pendingWrites: () => pendingWrites,
    now: () => nowMs,
    registry: new Registry(),
  });
  const process: Process = {
    emit: (event, times = 1) => {
      for (let time = 0; time < times; time += 1) metrics.read(event);
    },
    storageTook: metrics.observeStorage,
    setPendingWrites: (count) => void (pendingWrites = count),
  };
  const series: Series = new Map();
  for (let minute = 0; minute < MINUTES; minute += 1) {
    if (minute >= FIRST_FAULT_AT) story(process, minute - FIRST_FAULT_AT);
    nowMs = minute * 60_000;
    const { body } = await metrics.text();
    for (const [, name = '', labels = '', value = ''] of body.matchAll(
      /^(getbill_connect_\w+)(\{.*\})? (\S+)$/gm,
    )) {
      if (!read.has(name)) continue;
      const target = `job="getbill-connect",instance="one"`;
      const full = `${name}{${labels === '' ? target : `${labels.slice(1, -1)},${target}`}}`;
      const values = series.get(full) ?? Array<string>(minute).fill('_');
      series.set(full, [...values, value]);
    }
  }
  return series;
}

interface RuleTest {
  what: string;
  series: Series;
  alert: string;
  verdict: 'fires' | 'is silent';
}

const firing = (alert: string): string => `count(max_over_time(ALERTS{alertname="GetbillConnect${alert}",alertstate="firing"}[${MINUTES}m]))`; // prettier-ignore
/** At the end the alert is over, where the story says so. */
const AT_THE_END = new Set(['it was written in the end']);

/** What promtool has to say against the rules; empty when they hold. */
function promtool(tests: readonly RuleTest[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'gb-rules-'));
  const file = join(folder, 'tests.yml');
  const named = tests.map(({ what, alert, verdict, series }) => ({
    name: `${alert} ${verdict}: ${what}`,
    interval: '1m',
    input_series: [...series].map(([name, values]) => ({ series: name, values: values.join(' ') })),
    promql_expr_test: [
      {
        expr: AT_THE_END.has(what)
          ? `count(ALERTS{alertname="GetbillConnect${alert}"})`
          : firing(alert),
        eval_time: `${MINUTES - 1}m`,
        exp_samples: verdict === 'fires' ? [{ labels: '{}', value: 1 }] : [],
      },
    ],
  }));
  writeFileSync(
    file,
    JSON.stringify({ rule_files: [resolve(RULES)], evaluation_interval: '1m', tests: named }),
  );
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true });
  return status === 0 ? '' : stdout + stderr;
}

const up = (values: string): Series =>
  new Map([['up{job="getbill-connect",instance="one"}', [values]]]);
const byHand: RuleTest[] = [
  { alert: 'Down', what: 'a process does not answer', verdict: 'fires', series: up('1 1 0x45') },
  { alert: 'Down', what: 'it answers', verdict: 'is silent', series: up('1x45') },
  { alert: 'Gone', what: 'every target is gone', verdict: 'fires', series: up('1x10 stale') },
  { alert: 'Gone', what: 'there never was one', verdict: 'fires', series: new Map() },
  { alert: 'Gone', what: 'one is left, and down', verdict: 'is silent', series: up('0x45') },
];

jest.setTimeout(60_000); // the machine may be busy

describe('the alert rules, in Prometheus', () => {
  it('fire when they should, from the first fault of a process on, and are silent otherwise', async () => {
    const told = await Promise.all(
      stories.map(async ([alert, what, verdict, story]) => ({
        alert,
        what,
        verdict,
        series: await scrapes(alert, story),
      })),
    );
    expect(promtool([...told, ...byHand])).toBe('');
  });

  it('have a test each that fires and one that does not', () => {
    const alerts = [...readFileSync(RULES, 'utf8').matchAll(/- alert: GetbillConnect(\w+)/g)].map(
      ([, name]) => name,
    );
    for (const verdict of ['fires', 'is silent']) {
      const told = [
        ...stories.map(([alert, , one]) => [alert, one]),
        ...byHand.map((one) => [one.alert, one.verdict]),
      ];
      const tested = told.filter(([, one]) => one === verdict).map(([alert]) => alert);
      expect([...new Set(tested)].sort()).toEqual([...alerts].sort());
    }
  });
});
