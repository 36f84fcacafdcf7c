/** For an option or argument that is a number: anything else would reach the API as NaN, or wait for no time at all. */
import { InvalidArgumentError } from 'commander';

export function numeric(text: string): string {
  if (/^-?\d+(\.\d+)?$/.test(text)) return text;
  throw new InvalidArgumentError('expected a number');
}
