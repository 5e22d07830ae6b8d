import { browserLeft } from './unavailable.js';

/** The part of an AbortSignal that is used here. */
export interface CallSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Rejects when the browser leaves; the work itself goes on. @throws {UnavailableError} 499. */
export function unlessLeft<T>(signal: CallSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onLeave = (): void => reject(browserLeft());
    if (signal.aborted) onLeave();
    signal.addEventListener('abort', onLeave);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onLeave));
  });
}
