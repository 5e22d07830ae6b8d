import { hash } from 'node:crypto';
import { z } from 'zod';
import { AppError, RecordError, StorageError } from '../errors.js';
import type { Emit } from '../events.js';
import { boundedMap } from '../limits/bounded-map.js';
import type { KeyValue } from '../core/storage/key-value.js';
import { fieldOf } from './values.js';

const MAX_GRANTS = 10_000;
const READ_EVERY_MS = 5_000;

const factsSchema = z.object({
  /** A hash of the company's id. */
  company: z
    .string()
    .regex(/^[\w-]{22}$/)
    .optional(),
  /** Scopes that the token response did not exclude and the API refused. */
  withheld: z.array(z.string().max(64)).max(64),
});
type Facts = z.infer<typeof factsSchema>;

/**
 * Facts about a grant that GetBill's responses show and its token does not: the company, and scopes
 * that were not granted. Kept for all processes; never throws for the storage, since each fact is
 * learnt again from another response.
 */
export interface GrantFacts {
  read(grantId: string): Promise<Readonly<Facts>>;
  /** From a response of `/company/profile`, the only one that says whose grant it is. */
  learnCompany(grantId: string, profile: unknown): Promise<void>;
  learnMissingScope(grantId: string, scope: string): Promise<void>;
}

/** A company as facts hold it: hashed, because an id of GetBill's has no place in Redis. */
export const companyHash = (id: string | number): string =>
  hash('sha256', String(id), 'base64url').slice(0, 22);

/** The owner of the share that a call spends: the company, else the client's address. */
export const ownerOf = (address: string, company: string | undefined): string =>
  company === undefined ? `address:${address}` : `company:${company}`;

export function createGrantFacts({
  keyValue,
  keptMs,
  emit,
  now,
}: {
  keyValue: Pick<KeyValue, 'get' | 'set' | 'delete'>;
  keptMs: number;
  emit: Emit;
  now: () => number;
}): GrantFacts {
  const cache = boundedMap<{ facts: Facts; readAtMs: number }>({ max: MAX_GRANTS });
  const keyOf = (grantId: string): string => `facts:${grantId}`;

  async function read(grantId: string): Promise<Facts> {
    const cached = cache.get(grantId);
    if (cached !== undefined && now() >= cached.readAtMs && now() - cached.readAtMs < READ_EVERY_MS)
      return cached.facts;
    const facts = (await readRecord(grantId)) ?? cached?.facts ?? { withheld: [] };
    cache.set(grantId, { facts, readAtMs: now() });
    return facts;
  }

  async function readRecord(grantId: string): Promise<Facts | undefined> {
    try {
      const text = await keyValue.get(keyOf(grantId));
      return text === undefined ? undefined : factsSchema.parse(JSON.parse(text));
    } catch (error) {
      if (error instanceof StorageError) return undefined;
      if (error instanceof AppError && !(error instanceof RecordError)) throw error;
      emit({ type: 'record_replaced', record: 'facts' });
      await keyValue.delete(keyOf(grantId)).catch(() => undefined);
      return undefined;
    }
  }

  async function write(grantId: string, facts: Facts): Promise<void> {
    cache.set(grantId, { facts, readAtMs: now() });
    await keyValue
      .set(keyOf(grantId), JSON.stringify(facts), { ttlMs: keptMs })
      .catch(() => undefined);
  }

  return {
    read,
    async learnCompany(grantId, profile) {
      const id = fieldOf(fieldOf(profile, 'data'), 'id');
      if (id === '' || (typeof id !== 'string' && typeof id !== 'number')) return;
      const company = companyHash(id);
      const facts = await read(grantId);
      if (facts.company !== company) await write(grantId, { ...facts, company });
    },
    async learnMissingScope(grantId, scope) {
      const facts = await read(grantId);
      if (!facts.withheld.includes(scope))
        await write(grantId, { ...facts, withheld: [...facts.withheld, scope] });
    },
  };
}
