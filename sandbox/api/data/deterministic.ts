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
const startMs = Date.UTC(2024, 0, 15, 10, 30, 0);
export const daysAfterStart = (days: number): number => startMs + days * dayMs;

const seconds = (atMs: number): string => new Date(atMs).toISOString().slice(0, 19);

/** Debts, followups, company profile. */
export const offsetTimestamp = (atMs: number): string => `${seconds(atMs)}+00:00`;
/** Users, reports, credits, rate-limit answers. */
export const zuluTimestamp = (atMs: number): string => `${seconds(atMs)}Z`;
/** Debtors, creditors. */
export const plainTimestamp = (atMs: number): string => seconds(atMs).replace('T', ' ');
export const date = (atMs: number): string => seconds(atMs).slice(0, 10);
