import { InvalidArgumentError } from 'commander';

/** The parser of an option that is a whole number. */
export const numberFrom =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`A whole number from ${least} to ${most}.`);
    return value;
  };
