import type { A_Expr, Node } from '@pgsql/types';
import type { Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { fewest, sourceOf, type KeySource, type Sought } from './key-source.ts';
import { call, castTo } from './nodes.ts';
import { formOf, isOperator, isSame } from './sites.ts';

/** What a comparison says of the site where it has an outcome; undefined: nothing. */
export function sourcesOfComparison(
  outcome: boolean,
  expression: A_Expr,
  level: Level,
  sought: Sought,
): readonly KeySource[] | undefined {
  const { lexpr, rexpr, kind, name } = expression;
  const { statement } = sought;
  if (lexpr === undefined || rexpr === undefined) return undefined;
  const says = isOperator(outcome ? '=' : '<>', name, statement);
  switch (kind) {
    case 'AEXPR_OP':
      return says ? sourcesOfEquality(lexpr, rexpr, level, sought) : undefined;
    case 'AEXPR_NOT_DISTINCT':
      return outcome && says ? sourcesOfSameness(lexpr, rexpr, level, sought) : undefined;
    case 'AEXPR_DISTINCT':
      return !outcome && isOperator('=', name, statement) ? sourcesOfSameness(lexpr, rexpr, level, sought) : undefined;
    case 'AEXPR_IN':
      return says ? sourcesOfList(lexpr, bare(rexpr, 'List')?.items ?? [], level, sought) : undefined;
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL': {
      // `<> all` is false where `= any` is true.
      if (!says) return undefined;
      return (kind === 'AEXPR_OP_ANY') === outcome
        ? sourcesOfAny(lexpr, rexpr, level, sought)
        : fewest(
            elementsOf(rexpr).map((each) => sourcesOfEquality(lexpr, each, level, sought)),
            statement,
          );
    }
    case 'AEXPR_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_NOT_BETWEEN_SYM': {
      const [low, high] = bare(rexpr, 'List')?.items ?? [];
      const within = (kind === 'AEXPR_BETWEEN' || kind === 'AEXPR_BETWEEN_SYM') === outcome;
      if (!within || low === undefined || !statement.functions.ownEquality) return undefined;
      return isSame(low, high, statement) ? sourcesOfEquality(lexpr, low, level, sought) : undefined;
    }
    default:
      return undefined;
  }
}

/** `site >= x and site <= x`, in any order and on any side. */
export function sourcesOfInterval(
  nodes: readonly Node[],
  level: Level,
  sought: Sought,
): readonly KeySource[] | undefined {
  const [lows, highs] = (['>=', '<='] as const).map((operator) => {
    const mirrored = operator === '>=' ? '<=' : '>=';
    return nodes.flatMap((node) => {
      const expression = bare(node, 'A_Expr');
      if (expression?.kind !== 'AEXPR_OP') return [];
      const { lexpr, rexpr, name } = expression;
      const isKey = (value: Node | undefined): boolean => isForm(value, sought);
      if (rexpr !== undefined && isOperator(operator, name, sought.statement) && isKey(lexpr)) return [rexpr];
      return lexpr !== undefined && isOperator(mirrored, name, sought.statement) && isKey(rexpr) ? [lexpr] : [];
    });
  });
  const bound = lows?.find((low) => highs?.some((high) => isSame(low, high, sought.statement)));
  return bound === undefined ? undefined : [sourceOf(bound, level)];
}

function isForm(node: Node | undefined, { site, keyType, statement }: Sought): boolean {
  return formOf(node, site, keyType, statement) !== undefined;
}

/** Two rows are equal where all of their columns are. */
export function sourcesOfEquality(
  left: Node,
  right: Node,
  level: Level,
  sought: Sought,
): readonly KeySource[] | undefined {
  const [lefts = [left], rights = [right]] = [bare(left, 'RowExpr')?.args, bare(right, 'RowExpr')?.args];
  if (lefts.length !== rights.length) return undefined;
  const each = lefts.flatMap((one, index) => {
    const two = rights[index];
    if (two === undefined) return [];
    if (isForm(one, sought)) return [[sourceOf(two, level)]];
    return isForm(two, sought) ? [[sourceOf(one, level)]] : [];
  });
  return fewest(each, sought.statement);
}

/** IS NOT DISTINCT FROM takes NULL for a value like any other. */
function sourcesOfSameness(left: Node, right: Node, level: Level, sought: Sought): readonly KeySource[] | undefined {
  const { site, keyType, statement } = sought;
  const forms = [left, right].map((node) => formOf(node, site, keyType, statement));
  return site.nullable === true || !forms.includes('always')
    ? undefined
    : sourcesOfEquality(left, right, level, sought);
}

function sourcesOfList(
  left: Node,
  items: readonly Node[],
  level: Level,
  sought: Sought,
): readonly KeySource[] | undefined {
  const index = (bare(left, 'RowExpr')?.args ?? []).findIndex((each) => isForm(each, sought));
  const column = items.flatMap((item) => bare(item, 'RowExpr')?.args?.[index] ?? []);
  if (index !== -1 && column.length === items.length) return listSources(column, level);
  if (isForm(left, sought)) return listSources(items, level);
  return sourcesOfEach(left, items, level, sought);
}

/** The site may be any of the elements: each must say what it is. */
function sourcesOfEach(
  left: Node,
  elements: readonly Node[],
  level: Level,
  sought: Sought,
): readonly KeySource[] | undefined {
  const each = elements.map((element) => sourcesOfEquality(left, element, level, sought));
  return each.every((sources) => sources !== undefined) ? each.flat() : undefined;
}

function sourcesOfAny(left: Node, array: Node, level: Level, sought: Sought): readonly KeySource[] | undefined {
  if (!isForm(left, sought)) {
    const elements = elementsOf(array);
    return elements.length === 0 ? undefined : sourcesOfEach(left, elements, level, sought);
  }
  // An untyped literal takes its type from the key, which unnest() alone would not give it.
  return [sourceOf(call('unnest', ['A_Const' in array ? castTo(array, `${sought.keyType}[]`) : array]), level)];
}

/** Of an array that is written out. */
function elementsOf(array: Node): readonly Node[] {
  const elements = bare(bare(array, 'TypeCast')?.arg ?? array, 'A_ArrayExpr')?.elements ?? [];
  return elements.some((element) => 'A_ArrayExpr' in element) ? [] : elements;
}

/** Hundreds of literals are one array: a SELECT each would take longer to plan than the calls to make. */
function listSources(items: readonly Node[], level: Level): readonly KeySource[] {
  const literals = items.filter((item) => bare(item, 'A_Const')?.sval !== undefined);
  const others = items.filter((item) => !literals.includes(item));
  const array: Node = { A_ArrayExpr: { elements: literals } };
  const together = literals.length === 0 ? [] : [sourceOf(call('unnest', [castTo(array, 'text[]')]), level)];
  return [...together, ...others.map((item) => sourceOf(item, level))];
}
