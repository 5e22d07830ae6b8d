import { createHash } from 'node:crypto';

/** 22 url-safe characters, as GetBill's "encrypted ids"; the same for the same seed. */
export const opaqueId = (seed: string): string =>
  createHash('sha256').update(seed).digest().subarray(0, 16).toString('base64url');

/** A whole number below `below`, spread evenly and the same for the same seed. */
export function numberFrom(seed: string, below: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < seed.length; index += 1)
    hash = Math.imul(hash ^ seed.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) % below;
}

export const pick = <T extends readonly unknown[]>(list: T, index: number): T[number] =>
  list[index % list.length];

const dayMs = 24 * 3600 * 1000;
const minuteMs = 60_000;

/** Midnight (UTC) of a day: all of the data is told relative to it. */
export const dayOf = (nowMs: number): number => Math.floor(nowMs / dayMs) * dayMs;
/**
 * Some time of the working day, `days` before (below 0: after) the day that starts at `todayMs`.
 */
export const daysBefore = (todayMs: number, days: number, seed: string): number =>
  todayMs - days * dayMs + (8 * 60 + numberFrom(`minute:${seed}`, 600)) * minuteMs;

const seconds = (atMs: number): string => new Date(atMs).toISOString().slice(0, 19);

/** Debts, followups, company profile. */
export const offsetTimestamp = (atMs: number): string => `${seconds(atMs)}+00:00`;
/** Users, reports, credits, rate-limit responses. */
export const zuluTimestamp = (atMs: number): string => `${seconds(atMs)}Z`;
/** Debtors, creditors. */
export const plainTimestamp = (atMs: number): string => seconds(atMs).replace('T', ' ');
export const date = (atMs: number): string => seconds(atMs).slice(0, 10);
