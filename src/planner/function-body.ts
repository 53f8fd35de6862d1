import type { Alias, FuncCall, Node, RangeFunction, SelectStmt } from '@pgsql/types';
import { bare, walk } from '../sql/walk.ts';
import type { CalledFunction } from './definitions.ts';
import { castTo, columnOf } from './nodes.ts';
import { PG_TYPES } from './pg-types.ts';

export function aliasOf({ alias }: RangeFunction, { name, columns }: CalledFunction): Alias {
  const aliasname = alias?.aliasname ?? name;
  const given = (alias?.colnames ?? []).map((node) => bare(node, 'String')?.sval ?? '');
  const own = columns ?? [aliasname];
  return { aliasname, colnames: own.map((each, index) => ({ String: { sval: given[index] ?? each } })) };
}

/** PostgreSQL names an output column after the function that it calls. */
export function nameTarget(node: Node, isExpandable: (call: FuncCall) => boolean): void {
  const target = bare(node, 'ResTarget');
  const call = bare(target?.val, 'FuncCall');
  if (target === undefined || target.name !== undefined || call === undefined || !isExpandable(call)) return;
  const name = bare(call.funcname?.at(-1), 'String')?.sval;
  if (name !== undefined) target.name = name;
}

/** `$1` by the name of the parameter, under which the arguments stand beside the body. */
export function withNamedParameters(body: SelectStmt, { name, inputs }: CalledFunction): SelectStmt {
  walk(body, (node, kind) => {
    const number = kind === 'ParamRef' ? bare(node, 'ParamRef')?.number : undefined;
    const input = number === undefined ? undefined : inputs[number - 1];
    if (input === undefined) return undefined;
    const own: Record<string, unknown> = node;
    Reflect.deleteProperty(own, 'ParamRef');
    Object.assign(own, columnOf(name, input.name));
    return false;
  });
  return body;
}

/** `select body.* from (select arg::type as name, …) as function, lateral (<body>) as body` */
export function withArguments(body: SelectStmt, { name, inputs }: CalledFunction, args: readonly Node[]): SelectStmt {
  const given = inputs.map(({ name: own, type }, index) => ({
    ResTarget: { name: own, val: typed(args[index] ?? { A_Const: { isnull: true } }, type) },
  }));
  const plain = { limitOption: 'LIMIT_OPTION_DEFAULT', op: 'SETOP_NONE' } as const;
  const inner = 'trailhound_body';
  return {
    ...plain,
    targetList: [{ ResTarget: { val: { ColumnRef: { fields: [{ String: { sval: inner } }, { A_Star: {} }] } } } }],
    fromClause: [
      {
        RangeSubselect: {
          lateral: true,
          subquery: { SelectStmt: { ...plain, targetList: given } },
          alias: { aliasname: name },
        },
      },
      { RangeSubselect: { lateral: true, subquery: { SelectStmt: body }, alias: { aliasname: inner } } },
    ],
  };
}

/** A constant takes the parameter's type; anything else has it, or one that PostgreSQL takes for it. */
function typed(argument: Node, type: string): Node {
  const constant = bare(argument, 'A_Const');
  const [element = '', ...array] = type.split(/(?=\[\])/);
  const name = PG_TYPES[element];
  return constant?.sval !== undefined && name !== undefined ? castTo(argument, `${name}${array.join('')}`) : argument;
}

/** Names that columns may be qualified with, and that an argument's qualifier must not be. */
export function names(query: SelectStmt): ReadonlySet<string> {
  const found = new Set<string>();
  walk(query, (node, kind) => {
    const rangeVar = kind === 'RangeVar' ? bare(node, 'RangeVar') : undefined;
    if (rangeVar !== undefined) found.add(rangeVar.alias?.aliasname ?? rangeVar.relname ?? '');
    const alias = (bare(node, 'RangeSubselect') ?? bare(node, 'RangeFunction') ?? bare(node, 'JoinExpr'))?.alias;
    if (alias?.aliasname !== undefined) found.add(alias.aliasname);
    return undefined;
  });
  return found;
}

/** One row at most, whatever it reads. */
export function isSingle({ fromClause, op, valuesLists }: SelectStmt): boolean {
  return fromClause === undefined && op === 'SETOP_NONE' && valuesLists === undefined;
}
