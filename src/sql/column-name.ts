import type { JsonFuncExpr, Node, SelectStmt, SQLValueFunction } from '@pgsql/types';
import { fieldsOf } from './scope.ts';
import { bare, type NodeKind } from './walk.ts';

/**
 * The name of an output column without AS, as FigureColname() of PostgreSQL's parse_target.c has it. Undefined: it is that of
 * a column that `*` stands for in a subquery.
 */
export function columnName(value: Node | undefined): string | undefined {
  const found = figured(value);
  return found === UNKNOWN ? undefined : (found?.name ?? NAMELESS);
}

/** `*`, `a.*` or `(a).*` */
export function isStar(value: Node | undefined): boolean {
  const parts = bare(value, 'ColumnRef')?.fields ?? bare(value, 'A_Indirection')?.indirection;
  return 'A_Star' in (parts?.at(-1) ?? {});
}

const NAMELESS = '?column?';

/** `weak`: a name that what stands inside of it goes before. */
interface Figured {
  readonly name: string;
  readonly weak?: boolean;
}

const UNKNOWN: Figured = { name: '*' };

function figured(value: Node | undefined): Figured | undefined {
  if (value === undefined) return undefined;
  const column = bare(value, 'ColumnRef');
  if (column !== undefined) return named(fieldsOf(column).at(-1));
  const indirection = bare(value, 'A_Indirection');
  if (indirection !== undefined) {
    const fields = (indirection.indirection ?? []).flatMap((field) => bare(field, 'String')?.sval ?? []);
    return named(fields.at(-1)) ?? figured(indirection.arg);
  }
  const call = bare(value, 'FuncCall');
  if (call !== undefined) return named(bare(call.funcname?.at(-1), 'String')?.sval);
  const cast = bare(value, 'TypeCast');
  if (cast !== undefined) return strong(cast.arg) ?? weak(bare(cast.typeName?.names?.at(-1), 'String')?.sval);
  const collated = bare(value, 'CollateClause');
  if (collated !== undefined) return figured(collated.arg);
  const either = bare(value, 'CaseExpr');
  if (either !== undefined) return strong(either.defresult) ?? weak('case');
  const sublink = bare(value, 'SubLink');
  if (sublink !== undefined) {
    if (sublink.subLinkType === 'EXPR_SUBLINK') return ofSubquery(bare(sublink.subselect, 'SelectStmt'));
    return named({ EXISTS_SUBLINK: 'exists', ARRAY_SUBLINK: 'array' }[String(sublink.subLinkType)]);
  }
  if (bare(value, 'A_Expr')?.kind === 'AEXPR_NULLIF') return named('nullif');
  const extreme = bare(value, 'MinMaxExpr');
  if (extreme !== undefined) return named(extreme.op === 'IS_GREATEST' ? 'greatest' : 'least');
  const known = bare(value, 'SQLValueFunction')?.op;
  if (known !== undefined) return named(VALUES[known]);
  const json = bare(value, 'JsonFuncExpr')?.op;
  if (json !== undefined) return named(JSON_FUNCTIONS[json]);
  const xml = bare(value, 'XmlExpr')?.op;
  if (xml !== undefined) return xml === 'IS_DOCUMENT' ? undefined : named(xml.slice('IS_'.length).toLowerCase());
  const [kind] = Object.keys(value);
  return named(KINDS[kind as NodeKind]);
}

/** As its one column is called once it has been analysed. */
function ofSubquery({ larg, valuesLists = [], targetList }: SelectStmt = {}): Figured {
  if (larg !== undefined) return ofSubquery(larg);
  if (valuesLists.length > 0) return { name: 'column1' };
  const { name, val } = bare(targetList?.[0], 'ResTarget') ?? {};
  if (name !== undefined) return { name };
  const own = isStar(val) ? UNKNOWN : figured(val);
  return own === UNKNOWN ? own : { name: own?.name ?? NAMELESS };
}

function named(name: string | undefined): Figured | undefined {
  return name === undefined ? undefined : { name };
}

function weak(name: string | undefined): Figured | undefined {
  return name === undefined ? undefined : { name, weak: true };
}

function strong(value: Node | undefined): Figured | undefined {
  const found = figured(value);
  return found?.weak === true ? undefined : found;
}

const KINDS: Partial<Readonly<Record<NodeKind, string>>> = {
  A_ArrayExpr: 'array',
  CoalesceExpr: 'coalesce',
  GroupingFunc: 'grouping',
  JsonArrayAgg: 'json_arrayagg',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonObjectConstructor: 'json_object',
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
  MergeSupportFunc: 'merge_action',
  RowExpr: 'row',
  XmlSerialize: 'xmlserialize',
};

const JSON_FUNCTIONS: Readonly<Record<NonNullable<JsonFuncExpr['op']>, string>> = {
  JSON_EXISTS_OP: 'json_exists',
  JSON_QUERY_OP: 'json_query',
  JSON_VALUE_OP: 'json_value',
  JSON_TABLE_OP: 'json_table',
};

type Known = NonNullable<SQLValueFunction['op']>;

const VALUES: Readonly<Record<Known, string>> = {
  SVFOP_CURRENT_DATE: 'current_date',
  SVFOP_CURRENT_TIME: 'current_time',
  SVFOP_CURRENT_TIME_N: 'current_time',
  SVFOP_CURRENT_TIMESTAMP: 'current_timestamp',
  SVFOP_CURRENT_TIMESTAMP_N: 'current_timestamp',
  SVFOP_LOCALTIME: 'localtime',
  SVFOP_LOCALTIME_N: 'localtime',
  SVFOP_LOCALTIMESTAMP: 'localtimestamp',
  SVFOP_LOCALTIMESTAMP_N: 'localtimestamp',
  SVFOP_CURRENT_ROLE: 'current_role',
  SVFOP_CURRENT_USER: 'current_user',
  SVFOP_USER: 'user',
  SVFOP_SESSION_USER: 'session_user',
  SVFOP_CURRENT_CATALOG: 'current_catalog',
  SVFOP_CURRENT_SCHEMA: 'current_schema',
};
