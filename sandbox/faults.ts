import { z } from 'zod';

/**
 * How many calls the entry is for; 0 and Infinity: for ever (kept as 0, since JSON has no
 * Infinity).
 */
const times = z
  .union([z.number().int().nonnegative(), z.literal(Infinity)])
  .transform((count) => (count === Infinity ? 0 : count))
  .optional();
const httpStatus = z.number().int().min(200).max(599);
const ms = z.number().nonnegative();
const bytes = z
  .number()
  .int()
  .nonnegative()
  .max(64 * 1024 * 1024);

const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials'] as const;
export type GrantType = (typeof grantTypes)[number];

/** Restricts a token fault to one grant; an entry that does not match stays in the queue. */
const onToken = { times, grantType: z.enum(grantTypes).optional() };
/** Restricts an API fault to a path prefix (below /external-api/v1) and a method. */
const onApi = {
  times,
  path: z.string().startsWith('/').optional(),
  method: z.string().toUpperCase().optional(),
};

const status = { mode: z.literal('status'), status: httpStatus, body: z.unknown().optional() };
const html = { mode: z.literal('html'), status: httpStatus.optional() };
const hang = { mode: z.literal('hang') };
const hold = { mode: z.literal('hold') };
const drop = { mode: z.literal('drop') };
const redirect = { mode: z.literal('redirect'), status: httpStatus, location: z.string() };
const rawBody = {
  mode: z.literal('rawBody'),
  status: httpStatus,
  body: z.string(),
  contentType: z.string(),
};
const tokenStatus = {
  ...status,
  contentType: z.string().optional(),
  retryAfterS: z.number().nonnegative().optional(),
};

const tokenFault = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('delay'), ms, ...onToken }),
  z.strictObject({ ...hang, ...onToken }),
  z.strictObject({ ...hold, ...onToken }),
  z.strictObject({ mode: z.literal('holdAnswer'), ...onToken }),
  z.strictObject({ ...tokenStatus, ...onToken }),
  z.strictObject({ ...html, ...onToken }),
  z.strictObject({ mode: z.literal('garbage'), ...onToken }),
  z.strictObject({ ...redirect, ...onToken }),
  z.strictObject({ mode: z.literal('commitThenDrop'), ...onToken }),
  z.strictObject({ ...drop, ...onToken }),
  z.strictObject({ mode: z.literal('tooBig'), bytes, ...onToken }),
  z.strictObject({
    mode: z.literal('body'),
    override: z.record(z.string(), z.unknown()).optional(),
    remove: z.array(z.string()).optional(),
    ...onToken,
  }),
  z.strictObject({ ...rawBody, ...onToken }),
]);

const apiFault = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('unauthorized'), ...onApi }),
  z.strictObject({
    mode: z.literal('rateLimited'),
    retryAfterS: z.number().nonnegative(),
    header: z.boolean().optional(),
    ...onApi,
  }),
  z.strictObject({ ...html, ...onApi }),
  z.strictObject({
    mode: z.literal('huge'),
    bytes,
    chunked: z.boolean().optional(),
    contentType: z.string().optional(),
    ...onApi,
  }),
  z.strictObject({ mode: z.literal('slow'), ms, ...onApi }),
  z.strictObject({ mode: z.literal('trickle'), bytesPerS: z.number().positive(), ...onApi }),
  z.strictObject({ mode: z.literal('cut'), afterBytes: bytes, ...onApi }),
  z.strictObject({ ...hang, ...onApi }),
  z.strictObject({ ...hold, ...onApi }),
  z.strictObject({ ...drop, ...onApi }),
  z.strictObject({ ...status, ...onApi }),
  z.strictObject({ ...redirect, ...onApi }),
  z.strictObject({
    mode: z.literal('errorIn200'),
    code: z.number().int(),
    message: z.string().optional(),
    ...onApi,
  }),
  z.strictObject({
    ...rawBody,
    headers: z.record(z.string(), z.string()).optional(),
    base64: z.boolean().optional(),
    ...onApi,
  }),
  z.strictObject({ mode: z.literal('gzip'), ...onApi }),
]);

const revokeFault = z.discriminatedUnion('mode', [
  z.strictObject({ ...tokenStatus, times }),
  z.strictObject({ ...hang, times }),
  z.strictObject({ ...html, times }),
]);

/** Everything about the sandbox that can be changed while it runs. */
export const faultsSchema = z.strictObject({
  accessTokenLifetimeS: z.number().int().positive(),
  /**
   * What a refresh does with the refresh token. 'rotate': a new one, reuse of an old one ends the
   * whole grant.
   */
  refreshToken: z.enum(['rotate', 'keep', 'omit']),
  oldAccessTokenDies: z.boolean(),
  /** 'ifLess': when less was granted than asked for, as RFC 6749 section 5.1 requires. */
  scopeInTokenResponse: z.enum(['ifLess', 'always', 'never']),
  /** 'rfc': 400 invalid_grant; 'league': 401 invalid_request, as older league/oauth2-server. */
  refusalStyle: z.enum(['rfc', 'league']),
  token: z.array(tokenFault),
  api: z.array(apiFault),
  consent: z.enum(['ask', 'auto']),
  clockOffsetMs: z.number(),
  limitReads: z.number().int().nonnegative(),
  limitWrites: z.number().int().nonnegative(),
  limitWindowS: z.number().positive(),
  limitAbove100: z.enum(['clamp', 'refuse']),
  createStatus: z.number().int().min(200).max(299),
  revocation: z.boolean(),
  revokeFault: z.array(revokeFault),
});

export type TokenFault = z.input<typeof tokenFault>;
export type ApiFault = z.input<typeof apiFault>;
export type RevokeFault = z.input<typeof revokeFault>;
export type Faults = z.input<typeof faultsSchema>;

export const defaultFaults: Faults = {
  accessTokenLifetimeS: 3600,
  refreshToken: 'rotate',
  oldAccessTokenDies: true,
  scopeInTokenResponse: 'ifLess',
  refusalStyle: 'rfc',
  token: [],
  api: [],
  consent: 'ask',
  clockOffsetMs: 0,
  limitReads: 1000,
  limitWrites: 500,
  limitWindowS: 3600,
  limitAbove100: 'clamp',
  createStatus: 201,
  revocation: false,
  revokeFault: [],
};
