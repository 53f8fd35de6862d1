import type { Node, SelectStmt } from '@pgsql/types';
import { PG_TYPES } from './pg-types.ts';

export function and(nodes: readonly Node[]): Node {
  const [only] = nodes;
  return nodes.length === 1 && only !== undefined ? only : { BoolExpr: { boolop: 'AND_EXPR', args: [...nodes] } };
}

export function or(nodes: readonly Node[]): Node {
  const [only] = nodes;
  return nodes.length === 1 && only !== undefined ? only : { BoolExpr: { boolop: 'OR_EXPR', args: [...nodes] } };
}

export function selectOf(value: Node): SelectStmt {
  return { targetList: [{ ResTarget: { val: value } }], limitOption: 'LIMIT_OPTION_DEFAULT', op: 'SETOP_NONE' };
}

export function columnOf(...fields: string[]): Node {
  return { ColumnRef: { fields: fields.map((sval) => ({ String: { sval } })) } };
}

export function text(sval: string): Node {
  return { A_Const: { sval: { sval } } };
}

export function integer(ival: number): Node {
  // In PostgreSQL's tree 0 is left out.
  return { A_Const: { ival: ival === 0 ? {} : { ival } } };
}

/** @param operator of pg_catalog, whatever stands first on the search path */
export function operation(lexpr: Node, operator: string, rexpr: Node): Node {
  const name = ['pg_catalog', operator].map((sval) => ({ String: { sval } }));
  return { A_Expr: { kind: 'AEXPR_OP', name, lexpr, rexpr } };
}

export function call(name: string, args: Node[], schema = 'pg_catalog'): Node {
  return {
    FuncCall: {
      funcname: [{ String: { sval: schema } }, { String: { sval: name } }],
      args,
      funcformat: 'COERCE_EXPLICIT_CALL',
    },
  };
}

/** @param type of pg_catalog: as pg_type names it, or as format_type() prints it */
export function castTo(arg: Node, type: string): Node {
  const array = type.endsWith('[]');
  const printed = array ? type.slice(0, -2) : type;
  const name = PG_TYPES[printed] ?? printed;
  return {
    TypeCast: {
      arg,
      typeName: {
        names: [{ String: { sval: 'pg_catalog' } }, { String: { sval: name } }],
        typemod: -1,
        ...(array ? { arrayBounds: [{ Integer: { ival: -1 } }] } : {}),
      },
    },
  };
}

/** The rows of a FROM entry that satisfy a condition on them alone, or one of NULLs where there are none. */
export function orRowOfNulls(entry: Node, condition: Node, suffix: string): Node {
  return {
    JoinExpr: { jointype: 'JOIN_LEFT', larg: given([true], `trailhound_row_${suffix}`), rarg: entry, quals: condition },
  };
}

/** The rows of a FROM entry and one of NULLs: `(values (true), (false)) as r (given) left join <entry> on r.given`. */
export function withRowOfNulls(entry: Node, suffix: string): Node {
  const name = `trailhound_rows_${suffix}`;
  return {
    JoinExpr: { jointype: 'JOIN_LEFT', larg: given([true, false], name), rarg: entry, quals: columnOf(name, 'given') },
  };
}

function given(values: readonly boolean[], name: string): Node {
  const rows = values.map((value) => ({
    List: { items: [{ A_Const: { boolval: value ? { boolval: true } : {} } }] },
  }));
  const query: SelectStmt = { valuesLists: rows, limitOption: 'LIMIT_OPTION_DEFAULT', op: 'SETOP_NONE' };
  return {
    RangeSubselect: {
      subquery: { SelectStmt: query },
      alias: { aliasname: name, colnames: [{ String: { sval: 'given' } }] },
    },
  };
}

/** The same tree with some nodes replaced; what has none of them stays itself, since names are known by identity. */
export function replaced<T>(value: T, replace: (node: Node) => Node | undefined): T {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    const each = value.map((element: unknown) => replaced(element, replace));
    return each.some((element, index) => element !== value[index]) ? (each as T) : value;
  }
  const [first = ''] = Object.keys(value);
  const own = /^[A-Z]/.test(first) ? replace(value as unknown as Node) : undefined;
  if (own !== undefined) return own as T;
  const entries = Object.entries(value).map(([name, member]) => [name, replaced<unknown>(member, replace)] as const);
  const changed = entries.some(([name, member]) => member !== (value as Record<string, unknown>)[name]);
  return changed ? (Object.fromEntries(entries) as T) : value;
}
