import type { Formats } from './formats.js';

export const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** "once", "twice", "3 times" */
export function timesText(count: number, formats: Formats): string {
  if (count === 1) return 'once';
  return count === 2 ? 'twice' : `${formats.count(count)} times`;
}

/** "a minute", "12 minutes", "3 hours": until something can be tried again. */
export function waitText(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  if (minutes <= 1) return 'a minute';
  return minutes < 120 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
}
