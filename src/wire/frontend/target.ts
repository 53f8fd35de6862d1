import { type PayloadReader, violation } from '../payload-reader.ts';

/** What Describe and Close name: a prepared statement or a portal. */
export type Target = 'S' | 'P';

export function readTarget(reader: PayloadReader): Target {
  const letter = String.fromCharCode(reader.int8());
  if (letter === 'S' || letter === 'P') return letter;
  throw violation('invalid message format');
}
