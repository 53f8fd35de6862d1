import { createHash } from 'node:crypto';

/** What a nextToken says. It is good only for the query that it was made for. */
export interface PageToken {
  readonly query: string;
  readonly position: number;
  /** Makes the tokens of two calls differ even where the position does not move. */
  readonly serial: number;
}

export function encodeToken(token: PageToken): string {
  return Buffer.from(JSON.stringify([token.query, token.position, token.serial])).toString('base64url');
}

/** Undefined where it is none of ours, or another query's. */
export function decodeToken(text: string, query: string): PageToken | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (!Array.isArray(value)) return undefined;
    const [of, position, serial] = value as readonly unknown[];
    return of === query && Number.isSafeInteger(position) && Number.isSafeInteger(serial)
      ? { query, position: position as number, serial: serial as number }
      : undefined;
  } catch {
    return undefined;
  }
}

export function queryId(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16);
}
