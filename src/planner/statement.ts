import type { ColumnRef, JoinExpr, Node, RangeVar, SelectStmt, SubLink } from '@pgsql/types';
import type { VirtualView } from '../catalog/table.ts';
import { Names } from '../sql/names.ts';
import { lockedItems } from '../sql/locked-items.ts';
import type { Cte, Item, Level, Scopes } from '../sql/scope.ts';
import { scopesOf } from '../sql/scopes-of.ts';
import type { SpaceColumn } from '../sql/space.ts';
import { bare } from '../sql/walk.ts';
import { namedColumns, neededColumns, type Positions } from './columns.ts';
import { lockedRelations, type LockedRelation } from './locked-relations.ts';
import { rangeVarsIn, selectsIn, undefinedIn } from './mentions.ts';
import { relationName, type RelationFacts } from './relation-facts.ts';
import { tellApart } from './same-names.ts';
import { isReadWhole, textMentionOf } from './text-mention.ts';

/** One mention of a virtual table in a statement. */
export interface Reference {
  /** 0-based, in order of the text. */
  readonly id: number;
  readonly item: Item;
  readonly view: VirtualView;
  /** Names of the view's columns that the statement names, as PostgreSQL checks privileges. */
  readonly used: ReadonlySet<string>;
  /** Of those, the ones whose values are fetched. */
  readonly needed: ReadonlySet<string>;
  /** As the user wrote it: bytes into the statement's text, dotted parts, and the alias that keeps its name. */
  readonly location: number;
  /** Part of a view's or function's definition: it is not replaced in the text, what is hydrated for it is served to postgres_fdw. */
  readonly below: boolean;
  /** Of what stands below: where the text names that, if a condition can be written there. */
  readonly mention: number | undefined;
  readonly parts: number;
  readonly ownAlias: boolean;
}

/** What pg_proc says of the functions that a statement calls, by unqualified name, and pg_operator of its equality. */
export interface FunctionFacts {
  readonly volatile: ReadonlySet<string>;
  /** Aggregates and window functions. */
  readonly aggregate: ReadonlySet<string>;
  readonly setReturning: ReadonlySet<string>;
  /** NULL for a NULL argument, whichever function of that name is meant. */
  readonly strict: ReadonlySet<string>;
  /** `=`, `<>`, `<=` and `>=` of a key without a schema are pg_catalog's: nobody's operators are searched first or fit better. */
  readonly ownEquality: boolean;
}

/** A name that no user's relation has, standing in key queries for what was hydrated. */
export function placeholder(kind: 'reference' | 'level', id: number): string {
  return `trailhound:${kind}:${String(id)}`;
}

/**
 * A statement with its names resolved. Owns its tree: planning renames references in it to placeholders, and replaces
 * levels that were evaluated.
 */
export class Statement {
  readonly node: Node;
  readonly scopes: Scopes;
  readonly names: Names;
  readonly references: readonly Reference[];
  readonly functions: FunctionFacts;
  /** What a name with a schema means cannot be said for sure. */
  readonly isAmbiguous: boolean;
  /** `schema.table.column` and the like, with how many names qualify the column in the text. */
  readonly qualified: ReadonlyMap<ColumnRef, number>;
  /** It inserts into, updates or deletes from a virtual table, or locks rows of one: PostgreSQL refuses that itself. */
  readonly changesView: boolean;
  /** Subqueries that the statement reads with a row more than the key queries would. */
  readonly padded = new Set<SubLink>();
  readonly #referenceOf = new Map<RangeVar, Reference>();
  readonly #itemOf = new Map<RangeVar, Item>();
  readonly #columnsByItem: ReadonlyMap<Item, readonly string[]>;
  readonly #outputNames: ReadonlySet<ColumnRef>;
  readonly #unstable = new Set<RangeVar>();
  readonly #locked: ReadonlyMap<RangeVar, LockedRelation>;

  /** @param node a SELECT, INSERT, UPDATE, DELETE or MERGE */
  constructor(node: Node, facts: ReadonlyMap<string, RelationFacts>, functions: FunctionFacts) {
    this.node = structuredClone(node);
    const scopes = scopesOf(this.node);
    const apart = tellApart(scopes, (rangeVar) => facts.get(relationName(rangeVar))?.view?.schema);
    this.isAmbiguous = apart === undefined;
    this.qualified = apart?.columns ?? new Map();
    this.scopes = apart === undefined || apart.relations.size === 0 ? scopes : scopesOf(this.node);
    this.functions = functions;
    this.#outputNames = outputNamesIn(this.scopes);
    const columns = new Map<Item, readonly string[]>();
    const views: { item: Item; rangeVar: RangeVar; view: VirtualView }[] = [];
    for (const item of this.scopes.items) {
      if (item.rangeVar !== undefined && item.kind !== 'changed') this.#itemOf.set(item.rangeVar, item);
      if ((item.kind !== 'relation' && item.kind !== 'changed') || item.rangeVar === undefined) continue;
      const found = facts.get(relationName(item.rangeVar));
      if (found === undefined) continue;
      columns.set(item, found.columns);
      if (item.kind === 'changed') continue;
      if (found.unstable === true) this.#unstable.add(item.rangeVar);
      if (found.view !== undefined) views.push({ item, rangeVar: item.rangeVar, view: found.view });
    }
    const targets = [...this.scopes.targets].map((target) => facts.get(relationName(target)));
    const locked = lockedItems(this.scopes);
    this.#locked = lockedRelations(this.scopes, locked, facts);
    this.changesView =
      targets.some((target) => target?.view !== undefined) || views.some(({ item }) => locked.has(item));
    this.#columnsByItem = columns;
    this.names = new Names(this.scopes, (item) => this.#columnsByItem.get(item));
    const [used, needed] = [namedColumns(this), neededColumns(this)];
    views.sort((a, b) => (a.rangeVar.location ?? 0) - (b.rangeVar.location ?? 0));
    this.references = views.map(({ item, rangeVar, view }, id) => ({
      id,
      item,
      view,
      used: columnsAt(used(item), view),
      // PostgreSQL asks for what stands below a view or function, and may leave out less.
      needed: isBelow(rangeVar)
        ? isReadWhole(item, this.scopes.targets)
          ? new Set(view.columns.map(({ name }) => name))
          : columnsAt(used(item), view)
        : columnsAt(needed(item), view),
      location: rangeVar.location ?? 0,
      below: isBelow(rangeVar),
      mention: isBelow(rangeVar) ? textMentionOf(item, this.scopes.targets) : undefined,
      parts: 1 + (rangeVar.schemaname === undefined ? 0 : 1) + (rangeVar.catalogname === undefined ? 0 : 1),
      ownAlias: rangeVar.alias !== undefined && apart?.relations.has(rangeVar) !== true,
    }));
    for (const reference of this.references) this.#rename(reference);
    this.#qualify();
  }

  /** A key query takes joins apart: bare names would be ambiguous there, or mean another side of USING. */
  #qualify(): void {
    for (const column of this.scopes.levelOf.keys()) {
      const bareFields = column.fields ?? [];
      const as = this.mayNameOutput(column) ? undefined : this.names.bareColumn(column)?.as;
      if (as === undefined) continue;
      const before = this.names.resolve(column);
      column.fields = as.map((sval) => ({ String: { sval } }));
      const after = this.names.resolve(column);
      const same =
        before.kind === 'column' && after.kind === 'column' && before.item === after.item && before.name === after.name;
      // Another item may have the same name nearer by.
      if (!same) column.fields = bareFields;
    }
  }

  /** GROUP BY, ORDER BY and DISTINCT ON take names of output columns too. */
  mayNameOutput(column: ColumnRef): boolean {
    return this.#outputNames.has(column);
  }

  /** A new expression for a column, as the condition of a join would name it; undefined where it has no name. */
  mention({ of, as }: SpaceColumn, join: JoinExpr, level: Level): Node | undefined {
    if (as === undefined && !('item' in of)) {
      const [left, right] = of.map((side) => this.mention(side, join, level));
      return left === undefined || right === undefined ? undefined : { CoalesceExpr: { args: [left, right] } };
    }
    if (as === undefined) return undefined;
    const column: ColumnRef = { fields: as.map((sval) => ({ String: { sval } })) };
    this.scopes.levelOf.set(column, level);
    this.scopes.clauseOf.set(column, { kind: 'on', join });
    return { ColumnRef: column };
  }

  /** A new expression for a column of an item of a level; undefined where its name means something else there. */
  columnOf(item: Item, name: string, level: Level): Node | undefined {
    if (item.name === undefined) return undefined;
    const column: ColumnRef = { fields: [item.name, name].map((sval) => ({ String: { sval } })) };
    this.scopes.levelOf.set(column, level);
    this.scopes.clauseOf.set(column, { kind: 'other' });
    const meaning = this.names.resolve(column);
    return meaning.kind === 'column' && meaning.item === item && meaning.name === name
      ? { ColumnRef: column }
      : undefined;
  }

  #rename(reference: Reference): void {
    const rangeVar = reference.item.rangeVar;
    if (rangeVar === undefined) return;
    this.#referenceOf.set(rangeVar, reference);
    rangeVar.alias ??= { aliasname: rangeVar.relname ?? '' };
    rangeVar.relname = placeholder('reference', reference.id);
    delete rangeVar.schemaname;
    delete rangeVar.catalogname;
  }

  /** Lets an item read what a placeholder stands for, in place of the CTE or view that it names. @returns what undoes it */
  standIn(item: Item, name: string): () => void {
    const node = item.node as { RangeVar?: RangeVar };
    const { rangeVar } = item;
    if (rangeVar === undefined) throw new Error('only a name can stand for something else');
    const { schemaname: _schema, catalogname: _catalog, ...own } = rangeVar;
    node.RangeVar = { ...own, relname: name, alias: rangeVar.alias ?? { aliasname: rangeVar.relname ?? '' } };
    return () => {
      node.RangeVar = rangeVar;
    };
  }

  referenceOf(item: Item): Reference | undefined {
    return item.rangeVar === undefined ? undefined : this.#referenceOf.get(item.rangeVar);
  }

  /** The references that a part of the tree reads, its CTEs' included. */
  referencesIn(value: unknown, found = new Set<Reference>(), seen = new Set<Cte>()): Set<Reference> {
    for (const rangeVar of rangeVarsIn(value)) {
      const reference = this.#referenceOf.get(rangeVar);
      if (reference !== undefined) found.add(reference);
      const cte = this.#itemOf.get(rangeVar)?.cte;
      if (cte !== undefined && !seen.has(cte)) {
        seen.add(cte);
        this.referencesIn(cte.node, found, seen);
      }
    }
    return found;
  }

  /** The CTEs that a part of the tree names but does not define, and those that they name: as a WITH lists them. */
  ctesIn(value: unknown, found = new Set<Cte>()): Set<Cte> {
    for (const rangeVar of undefinedIn(value, this.#itemOf)) {
      const cte = this.#itemOf.get(rangeVar)?.cte;
      if (cte === undefined || found.has(cte)) continue;
      const before = new Set([...found, cte]);
      for (const inner of this.ctesIn(cte.node.ctequery, before)) if (inner !== cte) found.add(inner);
      found.add(cte);
    }
    return found;
  }

  /** Names without a schema that mean relations in a part of the tree. */
  relationNamesIn(value: unknown): Set<string> {
    return new Set(
      rangeVarsIn(value).flatMap((rangeVar) =>
        rangeVar.schemaname === undefined && this.#itemOf.get(rangeVar)?.cte === undefined
          ? [rangeVar.relname ?? '']
          : [],
      ),
    );
  }

  /** References to ordinary relations: their rows may change between a key query and the statement. */
  readsOrdinaryRelations(value: unknown): boolean {
    return rangeVarsIn(value).some((rangeVar) => {
      const item = this.#itemOf.get(rangeVar);
      return item?.kind === 'relation' && !this.#referenceOf.has(rangeVar);
    });
  }

  /** The relations in a part of the tree of which the statement changes or locks rows. */
  lockedIn(value: unknown): LockedRelation[] {
    return this.#locked.size === 0 ? [] : rangeVarsIn(value).flatMap((rangeVar) => this.#locked.get(rangeVar) ?? []);
  }

  /** Whether a part of the tree reads a view that may give other rows each time. */
  readsUnstable(value: unknown): boolean {
    return this.#unstable.size > 0 && rangeVarsIn(value).some((rangeVar) => this.#unstable.has(rangeVar));
  }

  /** The level of a SELECT of this statement. */
  levelOf(select: SelectStmt | undefined): Level | undefined {
    return this.scopes.levels.find((level) => level.select === select);
  }

  /** The levels inside a part of the tree. */
  levelsIn(value: unknown): Level[] {
    const selects = selectsIn(value);
    return this.scopes.levels.filter((level) => selects.has(level.select));
  }
}

/** Definitions stand in the tree without locations. */
function isBelow({ location }: RangeVar): boolean {
  return location === undefined;
}

function columnsAt(positions: Positions, view: VirtualView): Set<string> {
  return new Set(view.columns.flatMap(({ name }, index) => (positions.has(index) ? [name] : [])));
}

function outputNamesIn(scopes: Scopes): Set<ColumnRef> {
  const nodes = scopes.levels.flatMap(({ select }) => [
    ...(select.groupClause ?? []),
    ...(select.sortClause ?? []).map((node) => bare(node, 'SortBy')?.node ?? node),
    ...(select.distinctClause ?? []),
  ]);
  return new Set(nodes.flatMap((node) => bare(node, 'ColumnRef') ?? []));
}
