import type { Alias, ColumnRef, Node, ResTarget } from '@pgsql/types';
import { fieldsOf, type Item, type Level, type Scopes } from './scope.ts';
import { bare } from './walk.ts';

/** What a column reference means. */
export type Meaning =
  | { readonly kind: 'column'; readonly item: Item; readonly name: string }
  /** `a.*`, `*` (items: all of the level) or a whole row. */
  | { readonly kind: 'row'; readonly items: readonly Item[] }
  /** May be a column of an item whose columns are not known here (a function's, a join alias's). */
  | { readonly kind: 'unknown'; readonly level: Level };

/** Column names of an item or level; `open`: it may have others. */
export interface ColumnSet {
  readonly names: readonly string[];
  readonly open: boolean;
}

const OPEN: ColumnSet = { names: [], open: true };

/** Name resolution as PostgreSQL does it, for a statement that PostgreSQL has already accepted. */
export class Names {
  readonly #scopes: Scopes;
  readonly #relationColumns: (item: Item) => readonly string[] | undefined;
  readonly #items = new Map<Item, ColumnSet>();
  readonly #outputs = new Map<Level, ColumnSet>();

  /** `relationColumns`: the columns of an item of kind 'relation', in order; undefined where they are not known. */
  constructor(scopes: Scopes, relationColumns: (item: Item) => readonly string[] | undefined) {
    this.#scopes = scopes;
    this.#relationColumns = relationColumns;
  }

  resolve(column: ColumnRef): Meaning {
    const level = this.#scopes.levelOf.get(column);
    if (level === undefined) throw new Error('column reference of another statement');
    const fields = fieldsOf(column);
    if (fields.length === 1) {
      const name = fields[0] ?? '';
      return name === '*' ? { kind: 'row', items: level.items } : this.#resolveBare(name, level);
    }
    // With three or more fields the first are catalog and schema: of a relation without an alias.
    const [qualifier = '', name = ''] = fields.slice(-2);
    for (let at: Level | undefined = level; at !== undefined; at = outward(at)) {
      const item = at.items.find((candidate) => candidate.name === qualifier && inScope(candidate));
      if (item !== undefined) return name === '*' ? { kind: 'row', items: [item] } : { kind: 'column', item, name };
    }
    return { kind: 'unknown', level };
  }

  #resolveBare(name: string, level: Level): Meaning {
    for (let at: Level | undefined = level; at !== undefined; at = outward(at)) {
      // A merged column of USING or NATURAL stands in both sides; the first is as good as the other for an inner join.
      const item = at.items.find((candidate) => this.columnsOf(candidate).names.includes(name));
      if (item !== undefined) return { kind: 'column', item, name };
      const row = at.items.find((candidate) => candidate.name === name);
      if (row !== undefined) return { kind: 'row', items: [row] };
      if (at.items.some((candidate) => this.columnsOf(candidate).open)) return { kind: 'unknown', level: at };
    }
    return { kind: 'unknown', level };
  }

  columnsOf(item: Item): ColumnSet {
    let set = this.#items.get(item);
    if (set === undefined) {
      this.#items.set(item, OPEN); // a recursive CTE names itself
      set = this.#computeColumns(item);
      this.#items.set(item, set);
    }
    return set;
  }

  #computeColumns(item: Item): ColumnSet {
    switch (item.kind) {
      case 'relation': {
        const names = this.#relationColumns(item);
        return names === undefined ? OPEN : renamed({ names, open: false }, item.rangeVar?.alias);
      }
      case 'cte': {
        if (item.cte?.level === undefined) return OPEN;
        const own = renamedBy(this.outputs(item.cte.level), item.cte.node.aliascolnames);
        return renamed(own, item.rangeVar?.alias);
      }
      case 'subquery':
        return item.subquery === undefined
          ? OPEN
          : renamed(this.outputs(item.subquery), bare(item.node, 'RangeSubselect')?.alias);
      case 'other': {
        const alias = bare(item.node, 'RangeFunction')?.alias;
        const names = strings(alias?.colnames);
        return { names: names.length === 0 && item.name !== undefined ? [item.name] : names, open: true };
      }
    }
  }

  /** The output columns of a level. */
  outputs(level: Level): ColumnSet {
    let set = this.#outputs.get(level);
    if (set === undefined) {
      this.#outputs.set(level, OPEN);
      set = this.#computeOutputs(level);
      this.#outputs.set(level, set);
    }
    return set;
  }

  #computeOutputs(level: Level): ColumnSet {
    const first = level.branches[0];
    if (first !== undefined) return this.outputs(first);
    const values = level.select.valuesLists?.[0];
    if (values !== undefined) {
      return {
        names: (bare(values, 'List')?.items ?? []).map((_node, index) => `column${String(index + 1)}`),
        open: false,
      };
    }
    const sets = (level.select.targetList ?? []).map((node) => this.#outputOf(bare(node, 'ResTarget'), level));
    return { names: sets.flatMap((set) => set.names), open: sets.some((set) => set.open) };
  }

  #outputOf(target: ResTarget | undefined, level: Level): ColumnSet {
    if (target?.name !== undefined) return { names: [target.name], open: false };
    const column = bare(target?.val, 'ColumnRef');
    if (column === undefined) return { names: [nameOf(target?.val)], open: false };
    const fields = fieldsOf(column);
    const last = fields.at(-1) ?? '';
    if (last !== '*') return { names: [last], open: false };
    const items = fields.length === 1 ? level.items : level.items.filter((item) => item.name === fields.at(-2));
    const sets = items.map((item) => this.columnsOf(item));
    return { names: sets.flatMap((set) => set.names), open: items.length === 0 || sets.some((set) => set.open) };
  }

  /** The column that an output column passes through unchanged; undefined where it is computed or not known. */
  passedThrough(level: Level, output: string): { readonly item: Item; readonly name: string } | undefined {
    for (const node of level.select.targetList ?? []) {
      const target = bare(node, 'ResTarget');
      const column = bare(target?.val, 'ColumnRef');
      if (target === undefined) continue;
      const fields = column === undefined ? [] : fieldsOf(column);
      if (column !== undefined && fields.at(-1) === '*') {
        const items = fields.length === 1 ? level.items : level.items.filter((item) => item.name === fields.at(-2));
        const item = items.find((candidate) => this.columnsOf(candidate).names.includes(output));
        if (item !== undefined) return { item, name: output };
        continue;
      }
      if ((target.name ?? fields.at(-1)) !== output) continue;
      if (column === undefined) return undefined;
      const meaning = this.resolve(column);
      return meaning.kind === 'column' && meaning.item.level === level
        ? { item: meaning.item, name: meaning.name }
        : undefined;
    }
    return undefined;
  }
}

/** The next level whose items an expression of this level can name. */
export function outward(level: Level): Level | undefined {
  if (level.parent === undefined) return undefined;
  switch (level.place.kind) {
    case 'statement':
      return undefined;
    case 'sublink':
    case 'branch':
      return level.parent;
    case 'from':
      return level.place.lateral ? level.parent : outward(level.parent);
    case 'cte':
      return outward(level.parent);
  }
}

function inScope(item: Item): boolean {
  return item.name !== undefined;
}

function renamed(set: ColumnSet, alias: Alias | undefined): ColumnSet {
  return renamedBy(set, alias?.colnames);
}

function renamedBy(set: ColumnSet, colnames: Node[] | undefined): ColumnSet {
  const names = strings(colnames);
  if (names.length === 0) return set;
  return { names: [...names, ...set.names.slice(names.length)], open: set.open };
}

function strings(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).map((node) => bare(node, 'String')?.sval ?? '');
}

/** FigureColname() of PostgreSQL's parse_target.c, for what is met in practice. */
function nameOf(node: Node | undefined): string {
  if (node === undefined) return '?column?';
  const call = bare(node, 'FuncCall');
  if (call !== undefined) return bare(call.funcname?.at(-1), 'String')?.sval ?? '?column?';
  const cast = bare(node, 'TypeCast');
  if (cast !== undefined) {
    const inner = bare(cast.arg, 'ColumnRef') ?? bare(cast.arg, 'FuncCall');
    return inner === undefined ? (bare(cast.typeName?.names?.at(-1), 'String')?.sval ?? '?column?') : nameOf(cast.arg);
  }
  const column = bare(node, 'ColumnRef');
  if (column !== undefined) return fieldsOf(column).at(-1) ?? '?column?';
  const field = bare(bare(node, 'A_Indirection')?.indirection?.at(-1), 'String')?.sval;
  if (field !== undefined) return field;
  if ('CoalesceExpr' in node) return 'coalesce';
  if ('CaseExpr' in node) return 'case';
  const sublink = bare(node, 'SubLink');
  if (sublink?.subLinkType === 'EXISTS_SUBLINK') return 'exists';
  const query = bare(sublink?.subselect, 'SelectStmt');
  const target = bare(query?.targetList?.[0], 'ResTarget');
  if (sublink?.subLinkType === 'EXPR_SUBLINK' && target !== undefined) return target.name ?? nameOf(target.val);
  return '?column?';
}
