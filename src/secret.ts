import { inspect } from 'node:util';

/** A value that logs, JSON and console.log show as "[secret]"; only `reveal()` gives it out. */
export interface Secret<T = string> {
  reveal(): T;
}

export function secret<T>(value: T): Secret<T> {
  return Object.freeze({
    reveal: () => value,
    toJSON: () => '[secret]',
    toString: () => '[secret]',
    [inspect.custom]: () => '[secret]',
  });
}
