import type { SessionData } from 'express-session';
import { z } from 'zod';

declare module 'express-session' {
  interface SessionData {
    signedInAtMs: number;
    csrfSecret: string;
  }
}

const MAX_RECORD_LENGTH = 4_096;
const DAY_MS = 86_400_000;

/** What stands under the key is not a session that sign-in wrote. */
export class BrokenSession extends Error {}

const sessionSchema = z.object({
  cookie: z.object({}),
  signedInAtMs: z.number().int().nonnegative(),
  csrfSecret: z.string().regex(/^[\w-]{1,64}$/),
});

/** @throws {BrokenSession} */
export function sessionFrom(text: string, { nowMs }: { nowMs: number }): SessionData {
  if (text.length > MAX_RECORD_LENGTH) throw new BrokenSession('too long');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BrokenSession('not JSON');
  }
  const { success, data } = sessionSchema.safeParse(value);
  // The clock of another process may be ahead, but not by a day.
  if (!success || data.signedInAtMs > nowMs + DAY_MS) throw new BrokenSession('not a session');
  const { signedInAtMs, csrfSecret } = data;
  return { cookie: { originalMaxAge: null, path: '/' }, signedInAtMs, csrfSecret };
}
