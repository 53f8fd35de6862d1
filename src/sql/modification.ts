import type { MergeStmt, Node, RangeVar, ReturningClause, SelectStmt } from '@pgsql/types';
import { bare } from './walk.ts';

/** INSERT, UPDATE, DELETE or MERGE as what it reads. All nodes are the statement's own. */
export interface Modification {
  readonly target: RangeVar;
  /**
   * The rows that are changed, and what is computed of them: FROM is the target joined to what FROM, USING or MERGE's
   * source name. Empty for INSERT, whose rows come from `source`.
   */
  readonly select: SelectStmt;
  /** INSERT's query. It sees the statement's WITH and nothing else of it. */
  readonly source: SelectStmt | undefined;
  readonly changed: readonly ChangedPart[];
}

/** Expressions that can name rows as the statement leaves them, or as they are when it comes to them. */
export interface ChangedPart {
  readonly nodes: readonly (Node | undefined)[];
  /** The target's name means its row as the statement leaves it. */
  readonly target: boolean;
  /** Names that qualify columns of such rows and do nothing else: `old`, `new`, `excluded`. */
  readonly names: readonly string[];
}

/** Undefined for what is no such statement. */
export function modificationOf(node: Node): Modification | undefined {
  const insert = bare(node, 'InsertStmt');
  if (insert?.relation !== undefined) {
    const conflict = insert.onConflictClause;
    return {
      target: insert.relation,
      select: reading({}, insert.withClause),
      source: bare(insert.selectStmt, 'SelectStmt'),
      changed: [
        {
          nodes: [...(conflict?.infer?.indexElems ?? []), conflict?.infer?.whereClause].concat(
            assigned(conflict?.targetList),
            conflict?.whereClause,
          ),
          target: true,
          names: ['excluded'],
        },
        returned(insert.returningClause, true),
      ],
    };
  }
  const update = bare(node, 'UpdateStmt');
  if (update?.relation !== undefined) {
    const { relation, targetList, fromClause = [], whereClause, withClause } = update;
    const from = [{ RangeVar: relation }, ...fromClause];
    return {
      target: relation,
      select: reading({ targetList: assigned(targetList), fromClause: from, ...where(whereClause) }, withClause),
      source: undefined,
      changed: [returned(update.returningClause, true)],
    };
  }
  const deleted = bare(node, 'DeleteStmt');
  if (deleted?.relation !== undefined) {
    const { relation, usingClause = [], whereClause, returningClause, withClause } = deleted;
    const from = [{ RangeVar: relation }, ...usingClause];
    return {
      target: relation,
      select: reading({ fromClause: from, ...where(whereClause) }, withClause),
      source: undefined,
      // What was deleted is what was there.
      changed: [returned(returningClause, false)],
    };
  }
  const merge = bare(node, 'MergeStmt');
  return merge?.relation === undefined ? undefined : merged(merge, merge.relation);
}

function merged(merge: MergeStmt, target: RangeVar): Modification {
  const { sourceRelation, joinCondition, withClause } = merge;
  const clauses = (merge.mergeWhenClauses ?? []).flatMap((node) => bare(node, 'MergeWhenClause') ?? []);
  const has = (kind: string): boolean => clauses.some((clause) => clause.matchKind === kind);
  const [keepsSource, keepsTarget] = [has('MERGE_WHEN_NOT_MATCHED_BY_TARGET'), has('MERGE_WHEN_NOT_MATCHED_BY_SOURCE')];
  const join: Node = {
    JoinExpr: {
      jointype: keepsSource ? (keepsTarget ? 'JOIN_FULL' : 'JOIN_LEFT') : keepsTarget ? 'JOIN_RIGHT' : 'JOIN_INNER',
      ...(sourceRelation === undefined ? {} : { larg: sourceRelation }),
      rarg: { RangeVar: target },
      ...(joinCondition === undefined ? {} : { quals: joinCondition }),
    },
  };
  const actions = clauses.flatMap(({ condition, targetList, values = [] }) => [
    ...(condition === undefined ? [] : [condition]),
    ...assigned(targetList),
    ...values,
  ]);
  return {
    target,
    select: reading({ targetList: actions, fromClause: [join] }, withClause),
    source: undefined,
    changed: [returned(merge.returningClause, true)],
  };
}

function reading(parts: Partial<SelectStmt>, withClause: SelectStmt['withClause']): SelectStmt {
  return {
    ...parts,
    ...(withClause === undefined ? {} : { withClause }),
    limitOption: 'LIMIT_OPTION_DEFAULT',
    op: 'SETOP_NONE',
  };
}

/** WHERE CURRENT OF is the whole condition or none of it, and no SELECT has it: without it there are more rows. */
function where(condition: Node | undefined): { whereClause?: Node } {
  return condition === undefined || 'CurrentOfExpr' in condition ? {} : { whereClause: condition };
}

/** `(a, b) = (select …)` stands in the tree once for each of its columns. */
function assigned(targets: readonly Node[] = []): Node[] {
  return targets.filter((node) => (bare(bare(node, 'ResTarget')?.val, 'MultiAssignRef')?.colno ?? 1) === 1);
}

function returned(clause: ReturningClause | undefined, target: boolean): ChangedPart {
  const options = (clause?.options ?? []).flatMap((node) => bare(node, 'ReturningOption') ?? []);
  const named = (kind: string, usual: string): string => options.find(({ option }) => option === kind)?.value ?? usual;
  return {
    nodes: clause?.exprs ?? [],
    target,
    names: [named('RETURNING_OPTION_OLD', 'old'), named('RETURNING_OPTION_NEW', 'new')],
  };
}
