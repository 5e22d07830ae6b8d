import { z } from 'zod';
import { isHost, redisNodeUrl, url } from './addresses.js';
import { splitList } from './lists.js';
import { invisibleCharacter } from './observations.js';

/**
 * The placeholders of `.env.example`, of the guides and of templates that nobody filled in. A value
 * that only begins like one may be real.
 */
const PLACEHOLDER =
  /^(your[_-](client[_-]|session[_-])?(id|secret|key)([_-]here)?|your_\w+_here|change[_-]?me|placeholder|example|secret|password|x{3,}|\.{3}|<.*>|\$\{\w+\}|\$[a-z]+(_[a-z]+)+|\{\{.*\}\}|null|undefined)$/i;
const isPlaceholder = (text: string): boolean => PLACEHOLDER.test(text);

/** Digits only: a script or health check that reads the variable must see the same number. */
export const count = (least: number, most: number) =>
  z
    .string()
    .regex(/^-?\d+$/, { error: `must be a whole number from ${least} to ${most}, in digits` })
    .transform(Number)
    .pipe(
      z
        .number()
        .min(least, { error: `must be at least ${least}` })
        .max(most, { error: `must be at most ${most}` }),
    );
/** Without a query. */
export const httpUrl = url(['https:', 'http:']);
export const baseUrl = httpUrl.refine(
  ({ pathname }) => !/\/(oauth|external-api|token)(\/|$)/.test(pathname),
  { error: 'has a path that the app adds itself; write it as in https://getbill.io' },
);
export const proxyUrl = url(['https:', 'http:'], { credentials: true });
/**
 * Parameters that the app sets itself, that replace those (RFC 9101), or that send the response
 * elsewhere than into the query.
 */
const NOT_IN_QUERY =
  /^(response_type|client_(id|secret)|redirect_uri|scope|state|code_challenge(_method)?|grant_type|code(_verifier)?|(refresh_)?token|request(_uri)?|response_mode(?!=query$))=/;
export const endpointUrl = url(['https:', 'http:'], { query: true }).superRefine(
  ({ searchParams }, context) => {
    const [name] = [...searchParams].find((pair) => NOT_IN_QUERY.test(pair.join('='))) ?? [];
    if (name === undefined) return;
    const message = `has ${name} in its query, which the app sets itself or cannot work with`;
    context.addIssue({ code: 'custom', message });
  },
);
export const flag = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .transform((text) => text === 'true');
/** Stays text, because it is compared as it is written. */
export const urlText = z
  .string()
  .refine((text) => /^https?:\/\//i.test(text) && URL.canParse(text), {
    error: 'must be a URL starting with https:// or http://',
  });
/** Entries separated by commas. */
export const list = z.string().transform(splitList);
/** As `URL.hostname` gives them: an IPv6 address in brackets. */
export const hostNames = list.refine((hosts) => hosts.every(isHostName), {
  error: 'must be host names, without scheme or port, separated by commas',
});
const isHostName = (text: string): boolean =>
  URL.parse(`http://${text}`)?.hostname === text.toLowerCase() && isHost(text);
const MAX_NODES = 100;
export const redisNodes = list
  .refine((list) => list.length <= MAX_NODES, { error: `must be at most ${MAX_NODES} URLs` })
  .pipe(z.array(redisNodeUrl));
/** A text without characters that no screen shows. */
export const visible = (schema: z.ZodType<string, string>) =>
  schema.superRefine((text, context) => {
    const hidden = invisibleCharacter(text);
    if (hidden === undefined) return;
    context.addIssue({ code: 'custom', message: `contains an invisible character (${hidden})` });
  });
export const required = visible(z.string({ error: 'is not set' })).refine(
  (text) => !isPlaceholder(text),
  {
    error: 'still holds a placeholder',
  },
);
export const requiredList = required
  .transform(splitList)
  .refine((list) => list.length > 0, { error: 'is not set' })
  .refine((list) => !list.some(isPlaceholder), { error: 'still holds a placeholder' });
/** RFC 6749 section 3.3, without the characters that separate scopes in another notation. */
export const isScope = (text: string): boolean =>
  /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text) && !/[,;|+%']/.test(text);
/** Base64 or base64url of 32 bytes, also in quotes, which Node skips. Node accepts any text. */
export const isKey = (text: string): boolean => /^["'`]?[\w+/-]{43}=?["'`]?$/.test(text);
/** Says which entry, where there are several: an unescaped comma makes two of one. */
export const everyEntry = (isValid: (item: string) => boolean, what: string) =>
  requiredList.superRefine((list, context) => {
    const index = list.findIndex((item) => !isValid(item));
    if (index === -1) return;
    const entry = `entry ${index + 1} of ${list.length}: a comma separates entries, \\, is a comma`;
    context.addIssue({ code: 'custom', message: list.length === 1 ? what : `${what} (${entry})` });
  });

export const MIN_WEBHOOK_SECRET = 16;
export const companyId = visible(
  z.string().max(128, { error: 'is longer than 128 characters' }),
).refine((text) => !/\s/.test(text), { error: 'contains a space' });
/** A member of the signed JSON body; dots lead into objects. */
export const fieldPath = z.string().regex(/^[\w-]{1,64}(\.[\w-]{1,64}){0,3}$/, {
  error: 'must be the name of a member of the JSON body, as in id or meta.id',
});
/** "name company secret" or "name company new-secret old-secret", several separated by commas. */
export const webhookEndpoints = visible(z.string())
  .transform((text) => splitList(text).map((item) => item.split(/\s+/)))
  .superRefine((endpoints, context) => {
    const problem = endpoints.map(endpointProblem).find((found) => found !== undefined);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .transform((endpoints) =>
    endpoints.map(([name = '', company = '', ...secrets]) => ({ name, company, secrets })),
  );

function endpointProblem(
  [name = '', company = '', ...secrets]: string[],
  index: number,
): string | undefined {
  const entry = `in entry ${index + 1}`;
  if (company === '' || secrets.length === 0)
    return `must be a name, a company id and a secret (${entry})`;
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
    return `has a name that is not 1 to 32 lower-case letters, digits and hyphens (${entry})`;
  }
  if (secrets.some((text) => text.length < MIN_WEBHOOK_SECRET || isPlaceholder(text))) {
    return `has a secret that is a placeholder or shorter than 16 characters (${entry})`;
  }
  return undefined;
}
