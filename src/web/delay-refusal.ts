import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits one to two seconds, so that a client that asks again at once costs no work; at random, so
 * that requests of one moment spread.
 */
export const delayRefusal = (): Promise<void> => delay(1_000 + Math.random() * 1_000);
