import type { SessionData } from 'express-session';
import { z } from 'zod';

declare module 'express-session' {
  interface SessionData {
    signedInAtMs: number;
    csrfSecret: string;
  }
}

const MAX_RECORD_LENGTH = 4_096;
/** A Date holds little more. An earlier time is not judged: our own clock may be wrong. */
const MAX_TIME_MS = 8e15;

/** The value under the key is not a session that sign-in wrote. */
export class BrokenSession extends Error {}

const sessionSchema = z.object({
  cookie: z.object({}),
  signedInAtMs: z.number().int().nonnegative().max(MAX_TIME_MS),
  csrfSecret: z.string().regex(/^[\w-]{1,64}$/),
});

/** @throws {BrokenSession} */
export function sessionFrom(text: string): SessionData {
  if (text.length > MAX_RECORD_LENGTH) throw new BrokenSession('too long');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BrokenSession('not JSON');
  }
  const { success, data } = sessionSchema.safeParse(value);
  if (!success) throw new BrokenSession('not a session');
  const { signedInAtMs, csrfSecret } = data;
  return { cookie: { originalMaxAge: null, path: '/' }, signedInAtMs, csrfSecret };
}
