import type { Catalog, VirtualTable, VirtualView } from './table.ts';

/** A catalog that changes while statements run. What was there before and is still there is the same object. */
export class LiveCatalog implements Catalog {
  #current: Catalog;
  #revision = 0;

  constructor(catalog: Catalog) {
    this.#current = catalog;
  }

  get revision(): number {
    return this.#revision;
  }

  get tables(): readonly VirtualTable[] {
    return this.#current.tables;
  }

  get views(): readonly VirtualView[] {
    return this.#current.views;
  }

  viewByOid(oid: number): VirtualView | undefined {
    return this.#current.viewByOid(oid);
  }

  tableByOid(oid: number): VirtualTable | undefined {
    return this.#current.tableByOid(oid);
  }

  /** Statements that are under way keep the tables that they were planned with. */
  change(gone: ReadonlySet<number>, come: Pick<Catalog, 'tables' | 'views'>): void {
    const tables = [...this.tables.filter(({ oid }) => !gone.has(oid)), ...come.tables];
    const views = [...this.views.filter(({ table }) => !gone.has(table.oid)), ...come.views];
    const tableByOid = new Map(tables.map((table) => [table.oid, table]));
    const viewByOid = new Map(views.map((view) => [view.oid, view]));
    this.#current = {
      tables,
      views,
      tableByOid: (oid) => tableByOid.get(oid),
      viewByOid: (oid) => viewByOid.get(oid),
    };
    this.#revision += 1;
  }
}
