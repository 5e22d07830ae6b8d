import { Router } from 'express';

/** One spelling per path: "/Login" and "/login/" are unknown paths. */
export const createRouter = (): Router => Router({ caseSensitive: true, strict: true });
