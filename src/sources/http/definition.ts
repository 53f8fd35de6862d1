/** A table as `trailhound.create_lookup()` was given it: `trailhound.lookup_entry`, whose rules schema/70-lookup.sql checks. */
export interface LookupDefinition {
  /** No other definition has it, nor one of the same name before. */
  readonly id: string;
  readonly name: string;
  /** `https://host/path/{column}?query={column}` */
  readonly urlTemplate: string;
  readonly columns: readonly DefinedColumn[];
  /** The connection's name in the configuration. */
  readonly connection: string;
  /** JSON path of the list of rows; undefined: the answer is one row. */
  readonly rowsAt: string | undefined;
  /** JSON path of what says that an answer is not all. */
  readonly moreAt: string | undefined;
  readonly format: 'json' | 'lines';
  /** Undefined: as the connection says. */
  readonly ttlMs: number | undefined;
}

export interface DefinedColumn {
  readonly name: string;
  readonly type: string;
  /** JSON path; undefined of what is asked for. */
  readonly path?: string | undefined;
  readonly key?: boolean | undefined;
  /** An input: what is asked for where a statement says nothing. */
  readonly default?: string | undefined;
  /** An answer, or a row, without it is none: it may say with status 200 that something went wrong. */
  readonly not_null?: boolean | undefined;
  /** Other addresses have no row, and are not asked for. */
  readonly public_only?: boolean | undefined;
}

/** What tells answers that are kept for a definition from those of others, and from such as earlier versions kept otherwise. */
export function variantOf({ id }: LookupDefinition): string {
  return `definition ${id}, numbers as written`;
}
