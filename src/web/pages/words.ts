import type { Formats } from './formats.js';

export const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** "once", "twice", "3 times" */
export const timesText = (count: number, formats: Formats): string =>
  count === 1 ? 'once' : count === 2 ? 'twice' : `${formats.count(count)} times`;
