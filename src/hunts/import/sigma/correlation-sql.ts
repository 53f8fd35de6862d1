import { FIRST_COLUMNS } from '../../hunt.ts';
import type { CallTable } from '../call-table.ts';
import { eventColumns, SINCE, UNTIL } from '../event-statement.ts';
import { literal } from '../sql-literal.ts';
import { UnreadableRule } from '../unreadable-rule.ts';
import type { Correlation } from './correlation.ts';
import { fieldsOf, type Fields } from './field.ts';
import { numberOf } from './item-sql.ts';
import type { Rule } from './rule.ts';
import type { RuleBook } from './rule-book.ts';
import { matchedSelections, ruleCondition } from './rule-sql.ts';
import { anyOf, indented, jsonObject, knownMembers } from './sql-text.ts';

/** Correlations of correlations. */
const MAX_DEPTH = 10;

/**
 * The statement of a correlation: each event that one of its rules finds is read once, in `event`; `hit_…` are those of one
 * correlation with its groups, `match_…` the events at which it is fulfilled.
 *
 * With lower limits alone, the time span ends at each event: whatever lies within it, wherever it begins, is found. What has an upper
 * limit would be fulfilled by a span that is moved far enough: there, time is divided into spans (in UTC), of which those count
 * that were searched as a whole.
 *
 * @throws UnreadableRule
 */
export function correlationStatement(rule: Rule, book: RuleBook, table: CallTable): string {
  return new Writer(book, table).statement(rule);
}

interface Relation {
  readonly from: string;
  /** Seconds before an event that decide whether it is one of these. */
  readonly reach: number;
}

class Writer {
  readonly #book: RuleBook;
  readonly #table: CallTable;
  readonly #fieldOf: Fields;
  readonly #conditions: string[] = [];
  readonly #reasons: (readonly [name: string, sql: string])[] = [];
  readonly #relations = new Map<Rule, Relation>();
  /** By a field's name, its column. */
  readonly #fields = new Map<string, string>();
  /** Written once all columns of `event` are known. */
  readonly #queries: { readonly name: string; readonly sql: (columns: string) => string }[] = [];

  constructor(book: RuleBook, table: CallTable) {
    this.#book = book;
    this.#table = table;
    this.#fieldOf = fieldsOf(table);
  }

  statement(rule: Rule): string {
    if (rule.kind !== 'correlation') throw new Error(`${rule.title} is no correlation`);
    const { correlation } = rule;
    const { from, reach } = this.#relation(rule, 0);
    const flags = this.#conditions.map((_, index) => `rule_${index + 1}`);
    const columns = [...FIRST_COLUMNS, ...flags, ...this.#fields.values()].join(', ');
    const queries = this.#queries.map(({ name, sql }) => `${name} as (\n  ${indented(sql(columns))}\n)`);
    const group = correlation.groupBy.map((name, index) => [name, `grp[${index + 1}]`] as const);
    const told = jsonObject([
      ['type', literal(correlation.type)],
      ['timespan', literal(correlation.timespan.text)],
      ['group', jsonObject(group)],
      ['measure', 'measure'],
    ]);
    // Whether a match continues what is told already is decided by matches before `since`, too: else each `since` would begin anew.
    const before = isDivided(correlation) ? 0 : correlation.timespan.seconds;
    return `with event as (
  ${indented(this.#event(rule, reach + before))}
),
${queries.join(',\n')}
select
  ${FIRST_COLUMNS.slice(0, -1).join(', ')},
  detail || jsonb_build_object('correlation', ${told}) as detail
from ${isDivided(correlation) ? from : withPrevious(from)} as m
where event_time >= ${SINCE}${isDivided(correlation) ? '' : `\n  and (before is null or before < event_time - ${spanOf(correlation)})`}
order by event_time desc, event_id;`;
  }

  #event(rule: Rule, reach: number): string {
    const flags = this.#conditions.map((condition, index) => `(${condition}) is true as rule_${index + 1}`);
    const names = this.#conditions.map((_, index) => `rule_${index + 1}`);
    const fields = [...this.#fields].map(([name, column]) => `${this.#fieldOf(name).text} as ${column}`);
    return `select distinct
  ${eventColumns(rule.severity, [['matched', knownMembers(this.#reasons)]])},
  ${[...names, ...fields].map(indented).join(',\n  ')}
from ${this.#table} e
cross join lateral (
  select
    ${flags.map((flag) => indented(indented(flag))).join(',\n    ')}
) as found
where ${indented(anyOf(this.#conditions))}
  and e.event_time >= ${SINCE} - interval '${reach} seconds'
  and e.event_time <= ${UNTIL}`;
  }

  #relation(rule: Rule, depth: number): Relation {
    if (depth > MAX_DEPTH) {
      throw new UnreadableRule(undefined, `correlation.rules: more than ${MAX_DEPTH} correlations of each other`);
    }
    const known = this.#relations.get(rule);
    if (known !== undefined) return known;
    const relation = rule.kind === 'correlation' ? this.#correlated(rule.correlation, depth) : this.#detected(rule);
    this.#relations.set(rule, relation);
    return relation;
  }

  #detected(rule: Rule & { kind: 'detection' }): Relation {
    const { condition, selections } = rule.detection;
    const sql = ruleCondition(condition, selections, this.#fieldOf);
    this.#conditions.push(sql);
    const found = `rule_${this.#conditions.length}`;
    const why = matchedSelections(condition, selections, this.#fieldOf);
    this.#reasons.push([rule.name ?? rule.title, `case when ${found} then ${why} end`]);
    return { from: `event where ${found}`, reach: 0 };
  }

  #correlated(correlation: Correlation, depth: number): Relation {
    const related = correlation.rules.map((key) => {
      const rule = this.#book.find(key);
      return { rule, ...this.#relation(rule, depth + 1) };
    });
    const number = this.#queries.length / 2 + 1;
    const [hit, match] = [`hit_${number}`, `match_${number}`];
    const branches = related.map(({ rule, from }, index) => {
      const group = correlation.groupBy.map((name) => this.#column(fieldFor(name, rule, correlation)));
      const values = correlation.fields.map((name) => this.#column(fieldFor(name, rule, correlation)));
      const place = correlation.type.startsWith('temporal') ? index + 1 : 1;
      return `, ${place} as rule, ${arrayOf(group)} as grp, ${arrayOf(values)} as val\nfrom ${from}`;
    });
    this.#queries.push({
      name: hit,
      // An event is counted once, whichever rules find it. A group has a value in each of its fields.
      sql: (columns) => `select * from (
  ${indented(branches.map((branch) => `select ${columns}${branch}`).join('\nunion\n'))}
) as h
where array_position(grp, null) is null and array_position(val, null) is null`,
    });
    this.#queries.push({
      name: match,
      sql: (columns) => `select ${columns}, grp, measure from (
  ${indented(measured(correlation, hit))}
) as m
where ${limitsOf(correlation)}`,
    });
    const own = correlation.timespan.seconds * (isDivided(correlation) ? 2 : 1);
    return { from: match, reach: own + Math.max(...related.map(({ reach }) => reach)) };
  }

  #column(field: string): string {
    const known = this.#fields.get(field);
    if (known !== undefined) return known;
    const column = `field_${this.#fields.size + 1}`;
    this.#fields.set(field, column);
    return column;
  }
}

/** Matches, each with the time of the one before it in its group. */
function withPrevious(matches: string): string {
  return `(
  select *, lag(event_time) over (partition by grp order by event_time, event_id) as before
  from ${matches}
)`;
}

function fieldFor(name: string, rule: Rule, { aliases }: Correlation): string {
  const alias = aliases.get(name);
  if (alias === undefined) return name;
  const field = [rule.name, rule.id].map((key) => (key === undefined ? undefined : alias.get(key))).find(Boolean);
  if (field === undefined) {
    throw new UnreadableRule(undefined, `correlation.aliases.${name}: it names no field of ${rule.name ?? rule.title}`);
  }
  return field;
}

function arrayOf(columns: readonly string[]): string {
  return `array[${columns.join(', ')}]::text[]`;
}

/** Rows of a hit with its measure. */
function measured(correlation: Correlation, hit: string): string {
  if (correlation.type === 'temporal_ordered') return inOrder(correlation, hit);
  return isDivided(correlation) ? measuredInSpans(correlation, hit) : measuredBefore(correlation, hit);
}

function measuredBefore(correlation: Correlation, hit: string): string {
  const span = spanOf(correlation);
  const frame = `over (partition by grp order by event_time range between ${span} preceding and current row)`;
  if (correlation.type !== 'value_count') return `select *, ${measureOf(correlation, frame)} as measure from ${hit}`;
  // PostgreSQL counts no distinct values in a frame. A value is there from an event on that has it until its next one, or until the
  // time span is over.
  return `select *, sum(change) over (partition by grp order by at) as measure
from (
  select *, event_time as at, 1 as change from ${hit}
  union all
  select *, least(
    lead(event_time) over (partition by grp, val order by event_time, event_id),
    event_time + ${span} + interval '1 microsecond'
  ), -1
  from ${hit}
) as s`;
}

function measuredInSpans(correlation: Correlation, hit: string): string {
  const span = spanOf(correlation);
  const measure =
    correlation.type === 'value_count'
      ? 'dense_rank() over (partition by grp, span order by val) + dense_rank() over (partition by grp, span order by val desc) - 1'
      : measureOf(correlation, 'over (partition by grp, span)');
  return `select *, ${measure} as measure, row_number() over (partition by grp, span order by event_time desc, event_id desc, rule) as place
from (
  select *, date_bin(${span}, event_time, timestamptz '2000-01-01 00:00:00Z') as span from ${hit}
) as s
where span + ${span} <= ${UNTIL}`;
}

function measureOf({ type, rules }: Correlation, window: string): string {
  switch (type) {
    case 'event_count':
      return `count(*) ${window}`;
    case 'value_sum':
      return `sum(${numberOf('val[1]')}) ${window}`;
    case 'value_avg':
      return `avg(${numberOf('val[1]')}) ${window}`;
    case 'temporal':
    case 'temporal_ordered':
    case 'value_count':
      return rules
        .map((_, index) => `(count(*) filter (where rule = ${index + 1}) ${window} > 0)::integer`)
        .join(' + ');
  }
}

/** For each rule's event, the latest begin of a row of events, one of each rule before it. */
function inOrder({ rules }: Correlation, hit: string): string {
  let query = `select *, case when rule = 1 then event_time end as begin_1 from ${hit}`;
  for (let rule = 2; rule <= rules.length; rule += 1) {
    query = `select *, case when rule = ${rule} then max(begin_${rule - 1}) over (partition by grp order by event_time) end as begin_${rule}
from (
  ${indented(query)}
) as s`;
  }
  return `select *, event_time - begin_${rules.length} as measure from (\n  ${indented(query)}\n) as s`;
}

function limitsOf(correlation: Correlation): string {
  if (correlation.type === 'temporal_ordered') return `measure <= ${spanOf(correlation)}`;
  const { limits, type, rules } = correlation;
  const all = limits.length === 0 ? [{ operator: '>=', number: String(rules.length) }] : limits;
  return [
    ...(type === 'value_count' && !isDivided(correlation) ? ['change = 1'] : []),
    ...(isDivided(correlation) ? ['place = 1'] : []),
    ...all.map(({ operator, number }) => `measure ${operator} ${number}`),
  ].join(' and ');
}

function isDivided({ limits }: Correlation): boolean {
  return limits.some(({ operator }) => operator !== '>' && operator !== '>=');
}

function spanOf({ timespan }: Correlation): string {
  return `interval '${timespan.seconds} seconds'`;
}
