import type { FuncCall, Node, RangeVar, SelectStmt } from '@pgsql/types';
import { scopesOf } from '../sql/scopes-of.ts';
import { bare, walk, withoutLocations } from '../sql/walk.ts';
import { candidatesOf, partsOf, type CalledFunction, type Definitions, type NamedRelation } from './definitions.ts';
import { aliasOf, isSingle, names, nameTarget, withArguments, withNamedParameters } from './function-body.ts';
import { Leads } from './leads.ts';
import { relationName } from './relation-facts.ts';
import { mentioned } from './text-mention.ts';

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
  readonly #leads: Leads;

  constructor(options: ExpandOptions) {
    this.#options = options;
    this.#leads = new Leads(options.definitions, options.leads);
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
      if (relation !== undefined && relation.kind !== 'virtual' && this.#leads.has(relation)) this.#leave(undefined);
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
    if (relation.kind !== 'view' || !this.#leads.has(relation)) return;
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
      RangeSubselect: { subquery, alias, ...mentioned(rangeVar) },
    });
  }

  /** Why the parts of a view must not be read by the current role in the place of its owner. */
  #refusal(relation: NamedRelation, role: Context['role'], { depth }: Context): string | undefined {
    if (depth >= MAX_DEPTH) return 'Views are nested too deeply.';
    if (role === 'current' || relation.query === undefined) return undefined;
    for (const part of partsOf(relation.query, this.#options.definitions)) {
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
    const candidates = call === undefined ? [] : candidatesOf(call, this.#options.definitions);
    if (call === undefined || !candidates.some((each) => this.#leads.has(each))) return;
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

  #resolve(call: FuncCall): CalledFunction | undefined {
    const [found, ...others] = candidatesOf(call, this.#options.definitions);
    const { args = [], agg_order, agg_filter, over, func_variadic, agg_distinct, agg_star } = call;
    const plain = (agg_order ?? []).length === 0 && agg_filter === undefined && over === undefined;
    if (found === undefined || others.length > 0 || !found.alone || !plain) return undefined;
    if (func_variadic === true || agg_distinct === true || agg_star === true) return undefined;
    if (args.length !== found.inputs.length || args.some((each) => 'NamedArgExpr' in each)) return undefined;
    return found;
  }

  #isExpandable(call: FuncCall): boolean {
    const found = this.#resolve(call);
    return found !== undefined && !found.set && this.#leads.has(found) && found.body !== undefined;
  }

  /** What a call reads, with its arguments under the names that its body has for them. */
  #called(found: CalledFunction, call: FuncCall, context: Context): SelectStmt | undefined {
    if (!this.#leads.has(found)) return undefined;
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
