import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { RecordError, StorageError } from '../errors.js';
import type { KeyValue } from '../core/storage/key-value.js';
import { countsSchema, holds, type Check } from './counts.js';
import type { Note } from './leader.js';
import { sceneIds, type SceneId } from './scenes.js';

const KEPT_MS = 3_600_000;
/** Longer than any scene takes. */
const TURN_MS = 60_000;
const TURN_KEY = 'tour:turn';

const count = z.number().int();
const checksSchema = z.array(z.object({ what: z.string(), counted: count, expected: count }));
const noteSchema = z.object({ text: z.string(), href: z.string() });
const resultSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('passed'), checks: checksSchema, note: noteSchema.optional() }),
  z.object({ state: z.literal('failed'), checks: checksSchema, note: noteSchema.optional() }),
  z.object({ state: z.literal('stopped'), reason: z.string() }),
  z.object({
    state: z.literal('waiting'),
    checks: checksSchema,
    /** The page to go to: it leads to the sign-in, and the sign-in back to it. */
    goTo: z.string(),
    place: z.string(),
    before: countsSchema,
  }),
]);

/** How a scene ended; `waiting` for a person to sign in. */
export type Result = z.infer<typeof resultSchema>;
export type Results = Partial<Record<SceneId, Result>>;

const resultsSchema = z.partialRecord(z.enum(sceneIds), resultSchema);

/** The results of each browser for an hour, in the storage, so that all processes show the same. */
export interface ResultStore {
  read(browser: string): Promise<Results>;
  write(browser: string, results: Results): Promise<void>;
  /** Runs `play` unless another scene is being played: the counters belong to one at a time. */
  takeTurn<Played>(play: () => Promise<Played>): Promise<Played | undefined>;
}

export function createResultStore(keyValue: KeyValue): ResultStore {
  const keyOf = (browser: string): string => `tour:results:${browser}`;

  /**
   * Begins `turn`, and returns whether it could: not while another scene is played. A value that is
   * no turn, or lasts longer than one, is replaced.
   */
  async function beginTurn(turn: string): Promise<boolean> {
    const options = { ttlMs: TURN_MS };
    try {
      const other = await keyValue.setIfAbsent(TURN_KEY, turn, options);
      if (other === undefined) return true;
      const { ttlMs = 0 } = (await keyValue.getWithTtl(TURN_KEY)) ?? {};
      if (ttlMs <= TURN_MS) return false;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
    }
    await keyValue.set(TURN_KEY, turn, options);
    return true;
  }

  return {
    async read(browser) {
      try {
        const text = await keyValue.get(keyOf(browser));
        return text === undefined ? {} : resultsSchema.parse(JSON.parse(text));
      } catch (error) {
        if (error instanceof StorageError) throw error;
        return {}; // of another release, or not ours
      }
    },
    write: (browser, results) =>
      keyValue.set(keyOf(browser), JSON.stringify(results), { ttlMs: KEPT_MS }),
    async takeTurn(play) {
      const turn = randomBytes(16).toString('base64url');
      if (!(await beginTurn(turn))) return undefined;
      try {
        return await play();
      } finally {
        await keyValue.compareAndDelete(TURN_KEY, turn);
      }
    },
  };
}

export const judged = (checks: readonly Check[], note?: Note): Result => ({
  state: checks.every(holds) ? 'passed' : 'failed',
  checks: [...checks],
  ...(note !== undefined && { note: { ...note } }),
});
