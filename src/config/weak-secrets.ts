import type { Values } from './variables.js';

/** Values of files in this repository: everybody who has read it knows them. */
const PUBLISHED = new Set([
  'sandbox-secret-7c1f0e5ad2b94c36',
  'demo-only-client-value-0123456789',
  'demo-only-session-value-0123456789abcdef',
  'ZGVtby1vbmx5LWtleS1mb3ItaW52ZW50ZWQtZGF0YSE=',
  'demo-only-webhook-value-0123456789abcdef',
]);

/** Secrets that operators make. One with fewer distinct bytes than this is not random. */
const MIN_DISTINCT: Readonly<Record<string, number>> = {
  SESSION_SECRET: 8,
  TOKEN_ENCRYPTION_KEY: 8,
  METRICS_TOKEN: 4, // may be 16 hexadecimal digits
};
/** A block counts as repeated when it repeats for this many bytes. */
const MIN_REPEATED = 8;

interface NamedSecret {
  readonly name: string;
  readonly text: string;
  readonly bytes: Buffer;
}

/** Secrets that protect nothing: published ones, patterns, and one value in two variables. */
export function weakSecretProblems(v: Partial<Values>): string[] {
  const ours = secretsOf(v);
  const problems = new Set<string>();
  for (const { name, text, bytes } of [...ours, ...webhookSecretsOf(v)]) {
    if (PUBLISHED.has(text)) {
      problems.add(
        `${name} is the value of the demo or the sandbox, which everybody can read; use one of your own`,
      );
    } else if (name in MIN_DISTINCT && isPattern(bytes, MIN_DISTINCT[name] ?? 0)) {
      problems.add(`${name} is not random; make one with: openssl rand -base64 32`);
    }
  }
  for (const [index, one] of ours.entries()) {
    for (const other of ours.slice(index + 1)) {
      if (one.name === other.name || !one.bytes.equals(other.bytes)) continue;
      problems.add(`${one.name} has the same value as ${other.name}; give each a value of its own`);
    }
  }
  return [...problems];
}

/**
 * Checked in development, too: whoever knows the secret of an endpoint can send events as its
 * company. So it is the secret of nothing else, and no two companies share one.
 */
export function webhookSecretProblems(v: Partial<Values>): string[] {
  const ours = secretsOf(v);
  const webhooks = webhookSecretsOf(v);
  const problems = webhooks.flatMap((one, index) => {
    const other = [...ours, ...webhooks.slice(0, index)].find(({ bytes }) =>
      bytes.equals(one.bytes),
    );
    if (other === undefined) return [];
    const place = other.name === one.name ? 'another entry' : other.name;
    return [`${one.name} has the same value as ${place}; give each a value of its own`];
  });
  return [...new Set(problems)];
}

const webhookSecretsOf = (v: Partial<Values>): NamedSecret[] => [
  ...(v.GETBILL_WEBHOOK_SECRET ?? []).map((text) => named('GETBILL_WEBHOOK_SECRET', text)),
  ...(v.GETBILL_WEBHOOK_ENDPOINTS ?? []).flatMap(({ secrets }) =>
    secrets.map((text) => named('GETBILL_WEBHOOK_ENDPOINTS', text)),
  ),
];

/** A key counts as its base64 text, so that the same text in another variable is found. */
function named(name: string, text: string): NamedSecret {
  const decoded = Buffer.from(text, 'base64');
  const isKey = decoded.length === 32 && /^[\w+/-]{43}=?$/.test(text);
  return { name, text, bytes: isKey ? decoded : Buffer.from(text) };
}

function secretsOf(v: Partial<Values>): NamedSecret[] {
  return [
    ...(v.SESSION_SECRET ?? []).map((text) => named('SESSION_SECRET', text)),
    ...(v.TOKEN_ENCRYPTION_KEY ?? []).map((key) =>
      named('TOKEN_ENCRYPTION_KEY', key.toString('base64')),
    ),
    ...(v.GETBILL_CLIENT_SECRET ?? []).map((text) => named('GETBILL_CLIENT_SECRET', text)),
    ...namedIfSet('METRICS_TOKEN', v.METRICS_TOKEN),
    ...namedIfSet('REDIS_PASSWORD', v.REDIS_PASSWORD),
    ...namedIfSet('REDIS_URL', decodeURIComponent(v.REDIS_URL?.password ?? '')),
  ];
}

const namedIfSet = (name: string, text: string | undefined): NamedSecret[] =>
  text === undefined || text === '' ? [] : [named(name, text)];

/**
 * Few distinct bytes, a repeated block (also one that is cut), or bytes most of which count up or
 * down: no random source makes these.
 */
function isPattern(bytes: Buffer, minDistinct: number): boolean {
  const all = [...bytes];
  if (new Set(all).size < minDistinct) return true;
  const steps = new Map<number, number>();
  for (const [i, byte] of all.slice(1).entries()) {
    const step = (byte - (all[i] ?? 0)) & 0xff;
    steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  if (Math.max(...steps.values()) > all.length / 2) return true;
  for (let period = 1; period <= all.length - MIN_REPEATED; period += 1) {
    if (all.every((byte, i) => i < period || byte === all[i - period])) return true;
  }
  return false;
}
