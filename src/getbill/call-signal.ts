import { browserLeft } from './unavailable.js';

/** An AbortSignal, or what is used of one. */
export interface CallSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The work itself goes on. @throws {UnavailableError} 499. */
export function unlessLeft<T>(signal: CallSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onLeave = (): void => reject(browserLeft());
    if (signal.aborted) onLeave();
    signal.addEventListener('abort', onLeave);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onLeave));
  });
}
