import { setTimeout as delay } from 'node:timers/promises';

/**
 * One to two seconds, in which a client that asks again at once waits, and this process does not work. Not the same for
 * all, so that what was asked for together is not refused together, a page each.
 */
export const refuseLate = (): Promise<void> => delay(1_000 + Math.random() * 1_000);
