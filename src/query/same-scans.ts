import type { Column } from '../catalog/table.ts';
import type { HydratedRows } from '../hydrate/hydrator.ts';
import type { Reference } from '../planner/statement.ts';
import { conditionText, conjunctsOf } from '../sources/condition-text.ts';
import type { ScanRequest } from '../sources/source.ts';

/** Scans of one statement that ask for the same rows are one, which reads the columns of all of them. */
export class SameScans {
  readonly #groups = new Map<Reference, Group>();

  /** @param requests of the scans that nothing but the statement's own conditions narrows */
  constructor(requests: ReadonlyMap<Reference, ScanRequest>) {
    const byText = new Map<string, Group>();
    const whole = [...requests].filter(([, { order }]) => order === undefined);
    const inOrder = [...requests].filter(([, { order }]) => order !== undefined);
    for (const [reference, request] of [...whole, ...inOrder]) {
      // LIMIT's rows are any; and what stands in the place of aggregates is no row.
      if (request.limit !== undefined || request.aggregation !== undefined) continue;
      // The first rows are among all of them, which somebody else needs.
      if (request.order !== undefined && !byText.has(textOf(request))) continue;
      const text = textOf(request);
      const group = byText.get(text) ?? { columns: new Set(), rows: undefined };
      byText.set(text, group);
      for (const column of request.columns) group.columns.add(column);
      this.#groups.set(reference, group);
    }
  }

  /** Whoever comes first asks; the others get the same rows, which have cost them nothing. */
  async fetch(
    reference: Reference,
    request: ScanRequest,
    scan: (request: ScanRequest) => Promise<HydratedRows>,
  ): Promise<HydratedRows> {
    const group = this.#groups.get(reference);
    if (group === undefined) return scan(request);
    if (group.rows === undefined) {
      const columns = request.table.columns.filter((column) => group.columns.has(column));
      return (group.rows = scan({ ...request, columns, order: undefined }));
    }
    const rows = await group.rows;
    return { ...rows, statistics: { ...rows.statistics, calls: 0, pages: 0, bytes: 0, cacheHits: 0, waitMs: 0 } };
  }
}

interface Group {
  readonly columns: Set<Column>;
  rows: Promise<HydratedRows> | undefined;
}

function textOf(request: ScanRequest): string {
  const chosen = (request.chosenBy ?? []).map(({ name }) => name);
  return JSON.stringify([request.table.name, [...new Set(conjunctsOf(request).map(conditionText))].sort(), chosen]);
}
