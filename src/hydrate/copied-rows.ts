import type { CopiedRows } from '../sources/source.ts';
import type { Row } from './hydrator.ts';

const ESCAPE = /\\(.)/g;
const ESCAPED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r' };

/**
 * What COPY would make of them (PostgreSQL's manual, COPY, "Text Format"): the reverse of `copyLine`.
 *
 * @param width columns: without any, a line is a row of none
 */
export function copiedRows({ bytes, rows }: CopiedRows, width: number): readonly Row[] {
  if (width === 0) return Array.from({ length: rows }, () => []);
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8').split('\n');
  // Each line ends in a newline: nothing follows the last one.
  return lines.slice(0, -1).map((line) => line.split('\t').map(valueOf));
}

function valueOf(text: string): string | null {
  if (text === '\\N') return null;
  return text.includes('\\') ? text.replace(ESCAPE, (_, escaped: string) => ESCAPED[escaped] ?? escaped) : text;
}
