import type { Hunt } from '../hunt.ts';
import type { HuntEvent } from '../run-hunt.ts';
import type { ResultField, ResultRow } from '../text-query.ts';
import { TOLD_ROWS, type RowsNotification, type ToldRow } from './notification.ts';
import { rowKeys } from './row-key.ts';

export interface Found {
  readonly fields: readonly ResultField[];
  /** Of every row of the result. */
  readonly keys: ReadonlySet<string>;
  /** All rows that are new, by key, as they came. */
  readonly fresh: ReadonlyMap<string, ResultRow>;
}

/** Reads a hunt's whole result and keeps of it the rows that not each of those who are told knows yet, each once. */
export async function newRows(events: AsyncIterable<HuntEvent>, known: readonly ReadonlySet<string>[]): Promise<Found> {
  let fields: readonly ResultField[] = [];
  let keyOf = rowKeys(fields);
  const keys = new Set<string>();
  const fresh = new Map<string, ResultRow>();
  for await (const event of events) {
    if (event.kind === 'fields') {
      fields = event.fields;
      keyOf = rowKeys(fields);
    } else if (event.kind === 'rows') {
      for (const row of event.rows) {
        const key = keyOf(row);
        if (keys.has(key)) continue;
        keys.add(key);
        if (!known.every((one) => one.has(key))) fresh.set(key, row);
      }
    }
  }
  return { fields, keys, fresh };
}

/** What is new to one of them. */
export function newTo(found: Found, known: ReadonlySet<string>): Found {
  return { ...found, fresh: new Map([...found.fresh].filter(([key]) => !known.has(key))) };
}

export function rowsNotification(hunt: Hunt, { fields, fresh }: Found): RowsNotification {
  const counts = (name: string) => {
    const place = fields.findIndex((field) => field.name === name);
    const counted = new Map<string, number>();
    for (const row of fresh.values()) {
      const value = row[place] ?? 'unknown';
      counted.set(value, (counted.get(value) ?? 0) + 1);
    }
    return counted;
  };
  return {
    kind: 'rows',
    hunt,
    rows: [...fresh.values()].slice(0, TOLD_ROWS).map((row) => told(fields, row)),
    total: fresh.size,
    bySeverity: counts('severity'),
    byAccount: counts('account_id'),
    byRegion: counts('region'),
  };
}

function told(fields: readonly ResultField[], row: ResultRow): ToldRow {
  return Object.fromEntries(fields.map(({ name }, index) => [name, row[index] ?? null]));
}
