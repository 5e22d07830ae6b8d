import { AsyncLocalStorage } from 'node:async_hooks';
import express, { type Request, type RequestHandler } from 'express';
import { variables } from '../../src/config/variables.js';
import { parseConfig } from '../../src/config/config.js';
import type { RequestContext } from '../../src/events.js';
import { readableEncodings } from '../../src/getbill/content-coding.js';
import { matchEndpoint } from '../../src/getbill/endpoints.js';
import { safeReturnTo } from '../../src/web/return-to.js';
import { stateOf } from '../../src/core/oauth/authorization.js';
import { createCipher } from '../../src/core/storage/cipher.js';
import { cookieOf } from '../../src/web/session/cookies.js';
import { errorText } from '../../src/web/pages/error-texts.js';
import { formats } from '../../src/web/pages/formats.js';
import { listRoutes } from '../../src/web/route-list.js';
import { allowedMethods } from '../../src/web/middleware/allowed-methods.js';
import { requestId } from '../../src/web/middleware/request-id.js';
import { describeScope } from '../../src/web/pages/scope-texts.js';
import { statusOf } from '../../src/web/pages/statuses.js';

const SIZE = 50_000;
/** What makes a pattern go back and try again: a long run of one thing, and an end that does not fit. */
const UNITS = ['a', 'A', '1', ' ', '\t', '\n', '\0', '-', '_', '.', '/', '\\', '%', '%2e', '../', '/a', 'a.', 'a-', 'a ', ' a', '=', 'a=', '&a=', ';', 'a=a; ', '"', '+', 'a+', ',', 'a,', '[', '{', '(', '<', 'é', '😀', 'json', 'gzip,', '127.', '::']; // prettier-ignore
const STARTS = ['', '/', '/debts/', '/debts?', 'application/', 'https://', 'your_', '12345678.'];
const hostile = STARTS.flatMap((start) =>
  UNITS.map((unit) => `${start}${unit.repeat(SIZE / unit.length)}!\u2028`),
);

const ENVIRONMENT = {
  GETBILL_CLIENT_ID: 'client',
  GETBILL_CLIENT_SECRET: 'a-secret-of-the-client',
  SESSION_SECRET: 's'.repeat(32),
  TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
};
const cipher = createCipher([Buffer.alloc(32, 1)]);
const routed = express();
for (const path of ['/', '/debts/:id', '/oauth/callback']) routed.get(path, () => undefined);
const byMethod = allowedMethods(listRoutes(routed));
const byNumber = requestId({ context: new AsyncLocalStorage<RequestContext>() });

/** Calls a middleware with a request of which it reads these parts only. */
function meet(middleware: RequestHandler, request: Partial<Request>): void {
  void middleware(
    request as Request,
    { locals: {}, set: () => undefined } as never,
    () => undefined,
  );
}

const validators: Readonly<Record<string, (text: string) => unknown>> = {
  'returnTo': safeReturnTo,
  'the allow-list of the API': (text) => matchEndpoint('GET', text),
  'state and code of a callback': (text) => stateOf(new URLSearchParams({ code: text, state: text })),
  'a callback as it comes': (text) => stateOf(new URLSearchParams(text)),
  'an encrypted record': (text) => cipher.decrypt(text, 'x'),
  'a Cookie header': (text) => cookieOf({ headers: { cookie: text } } as Request, 'gb-session'),
  'a request number': (text) => meet(byNumber, { get: () => text } as never),
  'a path and its methods': (text) => meet(byMethod, { path: text, method: 'GET' }),
  'an Accept-Encoding header': readableEncodings,
  'a date of the API': (text) => [formats.date(text), formats.dateTime(text), formats.money(1, text)],
  'a status, a scope and an error code': (text) => [statusOf(text), describeScope(text), errorText(text, 400)],
}; // prettier-ignore

function msOf(work: () => unknown): number {
  const startedMs = performance.now();
  try {
    work();
  } catch {
    // refusing is fine
  }
  return performance.now() - startedMs;
}

/** Three times in a row: what a busy machine adds is not the pattern's fault. */
const isSlow = (work: () => unknown, withinMs: number): boolean =>
  [1, 2, 3].every(() => msOf(work) >= withinMs);

const slowOnes = (
  validate: (text: string) => unknown,
  { texts = hostile, withinMs = 50 } = {},
): string[] =>
  texts.filter((text) => isSlow(() => validate(text), withinMs)).map((text) => text.slice(0, 24));

describe('50 KB of hostile text', () => {
  it.each(Object.entries(validators))(
    '[J07] keeps nobody busy for 50 ms: %s',
    (_name, validate) => {
      expect(slowOnes(validate)).toEqual([]);
    },
  );

  it.each(Object.keys(variables))(
    '[J07] nor the start, read once and by the operator, for 500 ms: %s',
    (name) => {
      const texts = hostile.slice(0, UNITS.length);
      expect(
        slowOnes((text) => parseConfig({ ...ENVIRONMENT, [name]: text }), { texts, withinMs: 500 }),
      ).toEqual([]);
    },
  );

  it('[J07] would be noticed: a pattern that goes back over and over is caught', () => {
    const texts = [`${' '.repeat(SIZE / 2)}!`];
    expect(slowOnes((text) => /\s+$/.test(text), { texts })).toHaveLength(1);
  });
});
