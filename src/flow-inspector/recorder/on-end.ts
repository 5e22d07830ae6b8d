import type { Response } from 'express';
import { quietly } from './step-writer.js';

/** Calls `react` once: when the response has been handed over, or when the browser left. */
export function onEnd(
  res: Response,
  { before, react }: { before: () => Promise<void> | undefined; react: (left: boolean) => void },
): void {
  let isDone = false;
  const once = (left: boolean): void => {
    if (isDone) return;
    isDone = true;
    quietly(() => react(left));
  };
  const end = res.end.bind(res) as (...args: unknown[]) => Response;
  res.end = ((...args: unknown[]) => {
    const finish = (): void => {
      end(...args); // the cookie of the session is set in here
      once(false);
    };
    const ready = before();
    if (ready === undefined) finish();
    else void ready.then(finish, finish);
    return res;
  }) as Response['end'];
  res.once('close', () => once(!res.writableFinished));
}
