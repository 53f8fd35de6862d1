import type { Alias, FuncCall, Node, RangeFunction, RangeVar, SelectStmt } from '@pgsql/types';
import { scopesOf } from '../sql/scope.ts';
import { bare, walk, withoutLocations } from '../sql/walk.ts';
import { castTo, columnOf } from './nodes.ts';
import { relationName } from './statement.ts';

/** What the client's backend said of a relation that a statement leads to. */
export interface NamedRelation {
  readonly oid: number;
  /** `virtual`: one of our own views, which are known. */
  readonly kind: 'virtual' | 'view' | 'materialized view' | 'table';
  /** With its schema. */
  readonly schema: string;
  readonly name: string;
  /** The current role owns it. */
  readonly own: boolean;
  /** A view that reads with the rights of whoever uses it. */
  readonly invoker: boolean;
  /** It has row security. */
  readonly secured: boolean;
  /** The current role may select from all of it. */
  readonly readable: boolean;
  /** Of a view: undefined where it could not be read. */
  readonly query: SelectStmt | undefined;
}

export interface CalledFunction {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly visible: boolean;
  /** No other function has its name. */
  readonly alone: boolean;
  readonly own: boolean;
  readonly definer: boolean;
  readonly executable: boolean;
  readonly set: boolean;
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
  /** Names of its columns; undefined: one, which has the function's own name. */
  readonly columns: readonly string[] | undefined;
  /** Its only query; undefined where it is not written in SQL, or does what no query in its place would do. */
  readonly body: SelectStmt | undefined;
  /** Its body is text, whose names are looked up when it runs. */
  readonly textual: boolean;
}

/** The views and functions that a statement names, and all that they lead to. */
export interface Definitions {
  /** By name as relationName() writes it, with and without a schema. */
  readonly relations: ReadonlyMap<string, NamedRelation>;
  /** By name without a schema. */
  readonly functions: ReadonlyMap<string, readonly CalledFunction[]>;
}

export interface Expanded {
  readonly query: Node;
  /** Something leads to virtual tables and does not stand in the query with what it reads. */
  readonly opaque: boolean;
  /** Why, a sentence. */
  readonly unplanned: string | undefined;
}

export interface ExpandOptions {
  readonly definitions: Definitions;
  /** Whether what is not read here (PL/pgSQL, a trigger, a policy) leads to virtual tables. */
  readonly leads: (oid: number, name: string) => boolean;
  /** Names in text bodies mean what they mean in the statement; not so in what runs with a search_path of its own. */
  readonly textBodies: boolean;
}

/** Functions of PostgreSQL and its extensions that run a statement which they are given as text. */
export const RUNS_TEXT: ReadonlySet<string> = new Set([
  ...['query', 'table', 'schema', 'database', 'cursor'].flatMap((what) =>
    ['xml', 'xmlschema', 'xml_and_xmlschema'].map((form) => `${what}_to_${form}`),
  ),
  ...['ts_stat', 'ts_rewrite', 'crosstab', 'crosstab2', 'crosstab3', 'crosstab4', 'connectby', 'xpath_table'],
]);

/** Views and functions that read themselves end here. */
const MAX_DEPTH = 32;

/**
 * The query with users' views and SQL functions in it replaced by what they are made of, as subqueries without locations:
 * for planning alone. Only those whose parts the current role may read are replaced, because it runs the key queries.
 */
export function expandDefinitions(statement: Node, options: ExpandOptions): Expanded {
  const expansion = new Expansion(options);
  const expanded = expansion.expand(structuredClone(statement), { role: 'current', depth: 0, own: true });
  return { query: expanded, opaque: expansion.opaque, unplanned: expansion.unplanned };
}

interface Context {
  /** With whose rights relations are read. */
  readonly role: 'current' | 'other';
  readonly depth: number;
  /** The user's own text. */
  readonly own: boolean;
}

class Expansion {
  opaque = false;
  unplanned: string | undefined;
  readonly #options: ExpandOptions;
  readonly #leading = new Map<object, boolean>();

  constructor(options: ExpandOptions) {
    this.#options = options;
  }

  expand(query: Node, context: Context): Node {
    const { items, targets } = scopesOf(query);
    const done = new Set<unknown>();
    for (const item of items) {
      if (item.kind === 'cte') done.add(item.rangeVar);
      if (item.kind !== 'relation' || item.rangeVar === undefined || targets.has(item.rangeVar)) continue;
      done.add(item.rangeVar);
      this.#relation(item.node, item.rangeVar, context);
    }
    this.#functions(query, context);
    // In data-modifying CTEs, for example.
    walk(query, (node, kind) => {
      const rangeVar = kind === 'RangeVar' ? bare(node, 'RangeVar') : undefined;
      if (rangeVar === undefined || done.has(rangeVar)) return undefined;
      const relation = this.#options.definitions.relations.get(relationName(rangeVar));
      if (relation !== undefined && relation.kind !== 'virtual' && this.#leads(relation)) this.#leave(undefined);
      return undefined;
    });
    return query;
  }

  #relation(node: Node, rangeVar: RangeVar, context: Context): void {
    const relation = this.#options.definitions.relations.get(relationName(rangeVar));
    if (relation === undefined) return;
    if (!context.own) {
      // Under a CTE's name around it, or on another search_path, the bare name could mean another relation.
      rangeVar.alias ??= { aliasname: rangeVar.relname ?? '' };
      rangeVar.schemaname = relation.schema;
      delete rangeVar.catalogname;
    }
    if (relation.kind === 'table' && this.#options.leads(relation.oid, relation.name)) this.#leave(undefined);
    if (relation.kind !== 'view' || !this.#leads(relation)) return;
    const role = relation.invoker ? context.role : relation.own ? 'current' : 'other';
    const refused = this.#refusal(relation, role, context);
    if (refused !== undefined || relation.query === undefined) {
      this.#leave(refused);
      return;
    }
    const definition = withoutLocations({ SelectStmt: relation.query });
    const subquery = this.expand(definition, { role, depth: context.depth + 1, own: false });
    const alias = rangeVar.alias ?? { aliasname: rangeVar.relname ?? '' };
    replace(node, 'RangeVar', {
      RangeSubselect: { subquery, alias, ...located(rangeVar.location) },
    });
  }

  /** Why the parts of a view must not be read by the current role in the place of its owner. */
  #refusal(relation: NamedRelation, role: Context['role'], { depth }: Context): string | undefined {
    if (depth >= MAX_DEPTH) return 'Views are nested too deeply.';
    if (role === 'current' || relation.query === undefined) return undefined;
    for (const part of this.#partsOf(relation.query)) {
      if (part.kind === 'view') continue;
      if (part.readable && !part.secured) continue;
      return (
        `View ${relation.name} reads ${part.name} with the rights of its owner, which the current role lacks: ` +
        'only the owner can have its keys computed, or a role with SELECT on all that it reads.'
      );
    }
    return undefined;
  }

  #functions(value: unknown, context: Context): void {
    walk(value, (node, kind) => {
      if (kind === 'ResTarget') nameTarget(node, (call) => this.#isExpandable(call));
      if (kind === 'RangeFunction') return this.#inFrom(node, context) ? false : undefined;
      if (kind === 'FuncCall') this.#inExpression(node, context);
      return undefined;
    });
  }

  /** @returns whether it has been replaced */
  #inFrom(node: Node, context: Context): boolean {
    const range = bare(node, 'RangeFunction');
    const [only, ...more] = range?.functions ?? [];
    const [called, columns] = bare(only, 'List')?.items ?? [];
    const call = bare(called, 'FuncCall');
    if (range === undefined || call === undefined) return false;
    const special = range.ordinality === true || range.is_rowsfrom === true || more.length > 0;
    const defined = (range.coldeflist ?? []).length > 0 || (columns !== undefined && Object.keys(columns).length > 0);
    const found = special || defined ? undefined : this.#resolve(call);
    const query = found && this.#called(found, call, context);
    if (found === undefined || query === undefined) return false;
    this.#functions(call.args, context);
    replace(node, 'RangeFunction', {
      RangeSubselect: {
        lateral: true,
        subquery: { SelectStmt: query },
        alias: aliasOf(range, found),
        ...located(call.location),
      },
    });
    return true;
  }

  #inExpression(node: Node, context: Context): void {
    const call = bare(node, 'FuncCall');
    const candidates = call === undefined ? [] : this.#candidates(call);
    if (call === undefined || !candidates.some((each) => this.#leads(each))) return;
    const found = this.#resolve(call);
    const query = found === undefined || found.set ? undefined : this.#called(found, call, context);
    if (query === undefined) {
      this.#leave(undefined);
      return;
    }
    // The function gives its first row, where a subquery would fail for having two.
    const limited: SelectStmt = isSingle(query)
      ? query
      : { ...query, limitCount: { A_Const: { ival: { ival: 1 } } }, limitOption: 'LIMIT_OPTION_COUNT' };
    replace(node, 'FuncCall', {
      SubLink: { subLinkType: 'EXPR_SUBLINK', subselect: { SelectStmt: limited }, ...located(call.location) },
    });
  }

  #candidates(call: FuncCall): readonly CalledFunction[] {
    const [name = '', schema] = (call.funcname ?? []).map((part) => bare(part, 'String')?.sval ?? '').reverse();
    const all = this.#options.definitions.functions.get(name) ?? [];
    return all.filter((each) => (schema === undefined ? each.visible : each.schema === schema));
  }

  #resolve(call: FuncCall): CalledFunction | undefined {
    const [found, ...others] = this.#candidates(call);
    const { args = [], agg_order, agg_filter, over, func_variadic, agg_distinct, agg_star } = call;
    const plain = (agg_order ?? []).length === 0 && agg_filter === undefined && over === undefined;
    if (found === undefined || others.length > 0 || !found.alone || !plain) return undefined;
    if (func_variadic === true || agg_distinct === true || agg_star === true) return undefined;
    if (args.length !== found.inputs.length || args.some((each) => 'NamedArgExpr' in each)) return undefined;
    return found;
  }

  #isExpandable(call: FuncCall): boolean {
    const found = this.#resolve(call);
    return found !== undefined && !found.set && this.#leads(found) && found.body !== undefined;
  }

  /** What a call reads, with its arguments under the names that its body has for them. */
  #called(found: CalledFunction, call: FuncCall, context: Context): SelectStmt | undefined {
    if (!this.#leads(found)) return undefined;
    const role = found.definer && !found.own ? 'other' : 'current';
    const usable = found.executable && role === 'current' && context.depth < MAX_DEPTH;
    const { body } = found;
    if (body === undefined || !usable || (found.textual && !this.#options.textBodies)) {
      this.#leave(undefined);
      return undefined;
    }
    if (found.inputs.length > 0 && names(body).has(found.name)) {
      this.#leave(undefined);
      return undefined;
    }
    const own = withNamedParameters(withoutLocations(body), found);
    const expanded = this.expand({ SelectStmt: own }, { role, depth: context.depth + 1, own: false });
    const query = bare(expanded, 'SelectStmt');
    if (query === undefined) return undefined;
    if (found.inputs.length === 0) return query;
    return withArguments(query, found, call.args ?? []);
  }

  #leave(reason: string | undefined): void {
    this.opaque = true;
    this.unplanned ??= reason;
  }

  #leads(thing: NamedRelation | CalledFunction): boolean {
    const known = this.#leading.get(thing);
    if (known !== undefined) return known;
    this.#leading.set(thing, false);
    const query = 'body' in thing ? thing.body : thing.query;
    const found =
      ('kind' in thing && thing.kind === 'virtual') ||
      (query === undefined ? this.#options.leads(thing.oid, thing.name) : this.#queryLeads(query));
    this.#leading.set(thing, found);
    return found;
  }

  #queryLeads(query: SelectStmt): boolean {
    let found = this.#partsOf(query).some((part) => part.kind !== 'materialized view' && this.#leads(part));
    walk(query, (node, kind) => {
      const call = kind === 'FuncCall' ? bare(node, 'FuncCall') : undefined;
      if (call === undefined) return undefined;
      const name = bare(call.funcname?.at(-1), 'String')?.sval ?? '';
      if (RUNS_TEXT.has(name) || this.#candidates(call).some((each) => this.#leads(each))) found = true;
      return undefined;
    });
    return found;
  }

  /** The relations that a query names, CTEs' names taken for relations where there are such: one too many does no harm. */
  #partsOf(query: SelectStmt, found = new Set<NamedRelation>()): readonly NamedRelation[] {
    walk(query, (node, kind) => {
      const rangeVar = kind === 'RangeVar' ? bare(node, 'RangeVar') : undefined;
      const relation = rangeVar && this.#options.definitions.relations.get(relationName(rangeVar));
      if (relation !== undefined) found.add(relation);
      return undefined;
    });
    return [...found];
  }
}

/** In place: others hold the node. */
function replace(node: Node, kind: 'RangeVar' | 'RangeFunction' | 'FuncCall', by: Node): void {
  const own: Record<string, unknown> = node;
  Reflect.deleteProperty(own, kind);
  Object.assign(own, by);
}

/** Where the mention stands in the user's text: subqueries around it are found by what they hold. */
function located(location: number | undefined): { location?: number } {
  return location === undefined ? {} : { location };
}

function aliasOf({ alias }: RangeFunction, { name, columns }: CalledFunction): Alias {
  const aliasname = alias?.aliasname ?? name;
  const given = (alias?.colnames ?? []).map((node) => bare(node, 'String')?.sval ?? '');
  const own = columns ?? [aliasname];
  return { aliasname, colnames: own.map((each, index) => ({ String: { sval: given[index] ?? each } })) };
}

/** PostgreSQL names an output column after the function that it calls. */
function nameTarget(node: Node, isExpandable: (call: FuncCall) => boolean): void {
  const target = bare(node, 'ResTarget');
  const call = bare(target?.val, 'FuncCall');
  if (target === undefined || target.name !== undefined || call === undefined || !isExpandable(call)) return;
  const name = bare(call.funcname?.at(-1), 'String')?.sval;
  if (name !== undefined) target.name = name;
}

/** `$1` by the name of the parameter, under which the arguments stand beside the body. */
function withNamedParameters(body: SelectStmt, { name, inputs }: CalledFunction): SelectStmt {
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
function withArguments(body: SelectStmt, { name, inputs }: CalledFunction, args: readonly Node[]): SelectStmt {
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
  return constant?.sval !== undefined && BUILT_IN.has(type) ? castTo(argument, type) : argument;
}

const BUILT_IN: ReadonlySet<string> = new Set(['inet', 'text', 'inet[]', 'text[]']);

/** Names that columns may be qualified with, and that an argument's qualifier must not be. */
function names(query: SelectStmt): ReadonlySet<string> {
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
function isSingle({ fromClause, op, valuesLists }: SelectStmt): boolean {
  return fromClause === undefined && op === 'SETOP_NONE' && valuesLists === undefined;
}
