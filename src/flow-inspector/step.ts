import { z } from 'zod';

const actors = ['browser', 'app', 'getbill', 'redis'] as const;
export type Actor = (typeof actors)[number];

/** An HTTP message as it went over the wire, its secrets masked; or a storage command. */
const messageSchema = z.object({
  /** The request line or the status line. */
  start: z.string(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  body: z.string().optional(),
  /** The same as a command, for requests. */
  curl: z.string().optional(),
});

export const stepSchema = z.object({
  /** Order: what happened first has the smaller number, also in another process. */
  number: z.number().int(),
  atMs: z.number(),
  /** A `note` is a decision: its `from` is its `to`. */
  kind: z.enum(['request', 'response', 'note']),
  from: z.enum(actors),
  to: z.enum(actors),
  title: z.string(),
  outcome: z.enum(['ok', 'failed', 'neutral']),
  /** Shared by all steps of one story: a sign-in from `/login` to the dashboard, one page load. */
  chain: z.string(),
  process: z.string(),
  /** Of a response: the number of its request. */
  replyTo: z.number().int().optional(),
  /** The key of its explanation in `topics`. */
  topic: z.string(),
  requestId: z.string(),
  durationMs: z.number().optional(),
  /** Part of OAuth itself. */
  oauth: z.boolean(),
  details: z.array(z.tuple([z.string(), z.string()])),
  message: messageSchema.optional(),
});

export type Message = z.infer<typeof messageSchema>;
export type Step = z.infer<typeof stepSchema>;
/** A step before it has its number. */
export type Draft = Omit<Step, 'number' | 'replyTo' | 'atMs' | 'process'>;
