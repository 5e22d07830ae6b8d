/// <reference types="jest" />
import { parseConfig } from '../../src/config/config.js';
import {
  type AppError,
  GrantEndedError,
  GrantRefusedError,
  MisconfiguredError,
  UnavailableError,
} from '../../src/errors.js';
import type { HttpResponse } from '../../src/core/oauth/token-response.js';
import { createTokenEndpoint, type Send } from '../../src/core/oauth/token-endpoint.js';
import { setUp } from './setup.js';

const HOUR_MS = 3_600_000;
const { getbill } = parseConfig({
  GETBILL_CLIENT_ID: 'client-1',
  GETBILL_CLIENT_SECRET: 'secret-new,secret-old',
  SESSION_SECRET: 's'.repeat(32),
  TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
});

const html = '<!doctype html><title>403</title>';
const json = (body: unknown): string => JSON.stringify(body);
const renewed = { status: 200, body: json({ access_token: 'at-1', token_type: 'Bearer', refresh_token: 'rt-1', expires_in: 3_600 }) }; // prettier-ignore

/** Signed in, over the real token endpoint and a network written by hand. */
async function signedIn(answerTo: (form: URLSearchParams) => HttpResponse | Error) {
  const bench = setUp();
  const sent: URLSearchParams[] = [];
  const send: Send = async (_url, { body }) => {
    const form = new URLSearchParams(body);
    sent.push(form);
    const answer = answerTo(form);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const emit = (event: (typeof bench.events)[number]): void => void bench.events.push(event);
  const tokenEndpoint = createTokenEndpoint({
    provider: getbill,
    send,
    emit,
    now: bench.clock.now,
    monotonicMs: bench.clock.now,
  });
  const tokens = bench.startProcess({ tokenEndpoint });
  await bench.signIn(tokens);
  return { ...bench, tokens, sent };
}

type Row = [what: string, answer: HttpResponse | Error];

describe('refused', () => {
  const rows: Row[] = [
    ['invalid_grant', { status: 400, body: json({ error: 'invalid_grant' }) }],
    ['invalid_grant with 401', { status: 401, body: json({ error: 'invalid_grant' }) }],
    ['invalid_request with 401, as older league servers say it', { status: 401, body: json({ error: 'invalid_request' }) }], // prettier-ignore
  ];
  it.each(rows)(
    '[immunity 19] %s: one call, the record is deleted, one event, no call after it',
    async (_what, answer) => {
      const { tokens, clock, sent, onRecord, events, startProcess } = await signedIn(() => answer);
      await clock.advance(HOUR_MS);
      const five = await Promise.allSettled(Array.from({ length: 5 }, () => tokens.fresh('g1')));
      for (const result of five)
        expect(result).toMatchObject({ reason: { code: 'grant_ended', status: 401 } });
      const elsewhere = startProcess().fresh('g1');
      await expect(elsewhere).rejects.toBeInstanceOf(GrantEndedError);
      await expect(elsewhere).rejects.toHaveProperty('cause', expect.any(GrantRefusedError));
      await expect(tokens.renew('g1', 'at-0')).rejects.toBeInstanceOf(GrantEndedError);
      expect([sent.length, await onRecord(), await tokens.holds('g1')]).toEqual([
        1,
        undefined,
        false,
      ]);
      const ended = events.filter(({ type }) => type === 'session_ended');
      expect(ended).toEqual([expect.objectContaining({ reason: 'refused' })]);
    },
  );
});

describe('misconfigured', () => {
  const rows: Row[] = [
    ['unauthorized_client', { status: 400, body: json({ error: 'unauthorized_client' }) }],
    ['invalid_request with 400', { status: 400, body: json({ error: 'invalid_request' }) }],
    ['an error code nobody knows', { status: 400, body: json({ error: 'a_new_one' }) }],
    ['a wrong URL', { status: 404, body: html }],
    ["a firewall's page", { status: 403, body: html }],
    ['a redirect', { status: 302, body: '' }],
    ['"error": true, which is not an OAuth error', { status: 400, body: json({ error: true, message: 'invalid_grant' }) }], // prettier-ignore
    ['a list that names invalid_grant', { status: 400, body: json(['invalid_grant']) }],
  ];
  it.each(rows)(
    '%s: nothing deleted, a valid token goes on, else 502, and half a minute of rest',
    async (_what, answer) => {
      let current = answer;
      const { tokens, clock, sent, onRecord, eventTypes } = await signedIn(() => current);
      const before = await onRecord();
      await clock.advance(HOUR_MS - 10_000);
      expect((await tokens.fresh('g1')).accessToken).toBe('at-0');
      await clock.advance(10_000);
      await expect(tokens.fresh('g1')).rejects.toMatchObject({ status: 502 });
      expect([sent.length, await onRecord()]).toEqual([1, before]);
      expect(eventTypes()).not.toContain('session_ended');

      current = renewed;
      await clock.advance(20_000);
      expect((await tokens.fresh('g1')).accessToken).toBe('at-1');
    },
  );

  it('is what the first caller after expiry is told', async () => {
    const { tokens, clock } = await signedIn(() => ({ status: 404, body: html }));
    await clock.advance(HOUR_MS);
    await expect(tokens.fresh('g1')).rejects.toBeInstanceOf(MisconfiguredError);
  });

  it('invalid_client is tried again with the other secret, which then does', async () => {
    const { tokens, clock, sent, events } = await signedIn((form) =>
      form.get('client_secret') === 'secret-old'
        ? renewed
        : { status: 401, body: json({ error: 'invalid_client' }) },
    );
    await clock.advance(HOUR_MS);
    expect((await tokens.fresh('g1')).accessToken).toBe('at-1');
    expect(sent.map((form) => [form.get('client_secret'), form.get('refresh_token')])).toEqual([
      ['secret-new', 'rt-0'],
      ['secret-old', 'rt-0'],
    ]);
    expect(events).toContainEqual({ type: 'client_secret_fallback', grantType: 'refresh_token' });
  });

  it.each<Row>([
    ['unauthorized_client, as Keycloak says it', { status: 401, body: json({ error: 'unauthorized_client' }) }], // prettier-ignore
    ['nothing', { status: 401, body: '' }],
    ['a code of its own', { status: 401, body: json({ error: 'bad_credentials' }) }],
  ])('401 with %s is about the client, too: the other secret is tried', async (_what, answer) => {
    const { tokens, clock, sent } = await signedIn((form) =>
      form.get('client_secret') === 'secret-old' ? renewed : answer,
    );
    await clock.advance(HOUR_MS);
    expect((await tokens.fresh('g1')).accessToken).toBe('at-1');
    expect(sent).toHaveLength(2);
  });

  it('a refusal of the grant is not tried again with the other secret', async () => {
    const { tokens, clock, sent } = await signedIn(() => ({ status: 401, body: json({ error: 'invalid_grant' }) })); // prettier-ignore
    await clock.advance(HOUR_MS);
    await expect(tokens.fresh('g1')).rejects.toBeInstanceOf(GrantEndedError);
    expect(sent).toHaveLength(1);
  });

  it.each([
    [9_000, [10_000, 1_000]],
    [10_000, [10_000]],
  ])('two secrets have one deadline: after %i ms they may take %j', async (tookMs, allowed) => {
    const { clock } = setUp();
    const timeouts: number[] = [];
    const send: Send = async (_url, { timeoutMs }) => {
      timeouts.push(timeoutMs);
      await clock.advance(tookMs);
      return { status: 401, body: json({ error: 'invalid_client' }) };
    };
    const clocks = { now: clock.now, monotonicMs: clock.now };
    const tokenEndpoint = createTokenEndpoint({ provider: getbill, send, emit: () => undefined, ...clocks }); // prettier-ignore
    await expect(tokenEndpoint.refresh('rt-0')).rejects.toMatchObject({ code: 'invalid_client' });
    expect(timeouts).toEqual(allowed);
  });

  it('invalid_client for both secrets signs nobody out', async () => {
    const { tokens, clock, sent, onRecord } = await signedIn(() => ({ status: 401, body: json({ error: 'invalid_client' }) })); // prettier-ignore
    const before = await onRecord();
    await clock.advance(HOUR_MS);
    await expect(tokens.fresh('g1')).rejects.toMatchObject({ code: 'invalid_client', status: 502 });
    expect([sent.length, await onRecord()]).toEqual([2, before]);
  });
});

describe('transient', () => {
  const rows: Row[] = [
    ...[408, 425, 429, 500, 502, 503].map((status): Row => [
      String(status),
      { status, body: html },
    ]),
    ['500 that says invalid_grant', { status: 500, body: json({ error: 'invalid_grant' }) }],
    ['temporarily_unavailable', { status: 400, body: json({ error: 'temporarily_unavailable' }) }],
    ['a page with 200', { status: 200, body: html }],
    ['a success without a token', { status: 200, body: json({ token_type: 'Bearer' }) }],
    [
      'a token of an unknown type',
      { status: 200, body: json({ access_token: 'at-1', token_type: 'mac' }) },
    ],
    ['an empty answer', { status: 204, body: '' }],
    [
      'a timeout',
      new UnavailableError('too late', { code: 'token_endpoint_timeout', status: 504 }),
    ],
    [
      'a cut connection',
      new UnavailableError('cut', { code: 'token_endpoint_unreachable', status: 502 }),
    ],
  ];
  it.each(rows)(
    '[immunity 18] %s: nothing deleted, a valid token goes on, else 503 with "Retry-After"',
    async (_what, answer) => {
      let current = answer;
      const { tokens, clock, sent, onRecord, eventTypes } = await signedIn(() => current);
      const before = await onRecord();
      await clock.advance(HOUR_MS - 3_000);
      expect((await tokens.fresh('g1')).accessToken).toBe('at-0');
      await clock.advance(3_000);
      const error: unknown = await tokens.fresh('g1').catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UnavailableError);
      expect(error).toMatchObject({ status: 503, retryAfterS: 2 } satisfies Partial<AppError>);
      expect([sent.length, await onRecord()]).toEqual([1, before]);
      expect(eventTypes()).not.toContain('session_ended');

      current = renewed;
      await clock.advance(2_000);
      expect((await tokens.fresh('g1')).accessToken).toBe('at-1');
    },
  );
});
