/** Virtual tables as `schema/*.sql` declares them, read back from pg_catalog. There is no second list of columns. */

export type KeyKind = 'required' | 'optional' | 'input';

/**
 * Predicates that a column's declaration says a source may take. `=` includes IN lists, `ilike`, `~` and `~*` lists of patterns. Who
 * takes `like` takes `~`, and `ilike` `~*`: what a regular expression says of a text is as little as they do.
 */
export type Operator =
  | '='
  | '<>'
  | '<'
  | '<='
  | '>'
  | '>='
  | 'like'
  | 'not like'
  | 'ilike'
  | '~'
  | '~*'
  | 'is null'
  | 'is not null'
  | 'is true'
  | 'is false';

export interface Column {
  readonly name: string;
  /** 1-based, as in pg_attribute. */
  readonly attnum: number;
  /** As format_type() prints it: `text`, `timestamp with time zone`, `inet`, `text[]`, `jsonb`. */
  readonly type: string;
  readonly typeOid: number;
  readonly notNull: boolean;
  /**
   * Where the value stands in the source's record: dotted names (`userIdentity.arn`), or `@name` for what the source
   * itself adds to a record (`@region`, `@timestamp`), or `@record` for the record's own text;
   * `@record.x` is the text of a part of it, which the source adds as `record`.
   */
  readonly path?: string | undefined;
  /** SQL over sibling columns, computed by PostgreSQL; such a column is never fetched. */
  readonly expression?: string | undefined;
  readonly key?: KeyKind | undefined;
  /** Empty where nothing is pushed. */
  readonly operators: readonly Operator[];
  /** For key 'input': the value (in text) when the statement gives none. */
  readonly defaultValue?: string | undefined;
  readonly comment: string;
}

/** As which operator a column declares it. */
export function declaredAs(operator: Operator): Operator {
  switch (operator) {
    // Who can look for what is like a pattern can look for what is not.
    case 'not like':
    case '~':
      return 'like';
    case '~*':
      return 'ilike';
    case '=':
    case '<>':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'like':
    case 'ilike':
    case 'is null':
    case 'is not null':
    case 'is true':
    case 'is false':
      return operator;
  }
}

export interface VirtualTable {
  /** Always `source`. */
  readonly schema: string;
  readonly name: string;
  readonly oid: number;
  /** Which source serves it, as `options (source '…')` says: `cloudwatch_logs`, `guardduty`, `abuseipdb_check`. */
  readonly source: string;
  /** `lookup` needs its required key; `scan` does not. */
  readonly kind: 'scan' | 'lookup';
  /** Reading all of a large one costs many calls: it waits for values that small ones give to its optional keys. */
  readonly size?: 'large' | undefined;
  /** How long an answer may be reused, in milliseconds; 0: not cached. */
  readonly ttlMs: number;
  readonly columns: readonly Column[];
  readonly comment: string;
}

/** What users name in their statements: `public.x` or `steampipe.x`, each over exactly one virtual table. */
export interface VirtualView {
  readonly schema: string;
  readonly name: string;
  readonly oid: number;
  readonly table: VirtualTable;
  /** As pg_get_viewdef() prints it: one SELECT with one reference, to `source.<table>`. */
  readonly definition: string;
  readonly columns: readonly ViewColumn[];
}

export interface ViewColumn {
  readonly name: string;
  readonly attnum: number;
  readonly type: string;
  readonly typeOid: number;
  /** The table's column where the view passes it through unchanged. */
  readonly column?: Column | undefined;
}

export interface Catalog {
  /** Another number after each change; undefined: it never changes. */
  readonly revision?: number | undefined;
  readonly tables: readonly VirtualTable[];
  readonly views: readonly VirtualView[];
  viewByOid(oid: number): VirtualView | undefined;
  tableByOid(oid: number): VirtualTable | undefined;
}

/** Whether a statement that names no value of an input is asked with one all the same. */
export function hasDefaults({ columns }: VirtualTable): boolean {
  return columns.some(({ key, defaultValue }) => key === 'input' && defaultValue !== undefined);
}
