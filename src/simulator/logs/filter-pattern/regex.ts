import { InvalidFilterPattern } from './pattern.ts';

/** What the guide allows between percent signs; space stands in its own examples. */
const SUPPORTED = /^[A-Za-z0-9:_#=@/;, ^$?[\]{}|\\*+.-]*$/;

export function toRegExp(source: string): RegExp {
  if (source === '') throw new InvalidFilterPattern('the regular expression is empty');
  if (!SUPPORTED.test(source)) {
    throw new InvalidFilterPattern('the regular expression holds a character that filter patterns do not support');
  }
  try {
    return new RegExp(source);
  } catch {
    throw new InvalidFilterPattern('the regular expression is not valid');
  }
}
