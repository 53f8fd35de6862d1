import type { ExecuteText } from '../query/backend.ts';
import type { ResponseFields } from '../wire/backend/response-fields.ts';

/** EXECUTE with the client's own arguments and the name of another prepared statement. */
export function withName({ text, start, nameStart, nameEnd, end }: ExecuteText, name: string): string {
  const bytes = Buffer.from(text);
  return `${bytes.subarray(start, nameStart).toString()}${name}${bytes.subarray(nameEnd, end).toString()}`;
}

/** What PostgreSQL says of such a text, its position moved to the same place in the client's. */
export function locatedInClients(fields: ResponseFields, execute: ExecuteText, name: string): ResponseFields {
  const position = fields.get('P');
  if (position === undefined) return fields;
  const bytes = Buffer.from(execute.text);
  const characters = (start: number, end: number): number => Array.from(bytes.subarray(start, end).toString()).length;
  const shift = characters(0, execute.start) + characters(execute.nameStart, execute.nameEnd) - name.length;
  return new Map([...fields, ['P', String(Number(position) + shift)]]);
}
