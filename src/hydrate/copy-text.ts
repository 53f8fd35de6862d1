import type { Row } from './hydrator.ts';

const SPECIAL = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** One line of COPY's text format (PostgreSQL's manual, COPY, "Text Format"). */
export function copyLine(row: Row): string {
  let line = '';
  for (let index = 0; index < row.length; index += 1) {
    if (index > 0) line += '\t';
    const value = row[index];
    if (value === null || value === undefined) line += '\\N';
    else
      line += SPECIAL.test(value) ? value.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] as string) : value;
  }
  return `${line}\n`;
}
