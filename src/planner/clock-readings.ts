import type { Node } from '@pgsql/types';
import type { Column } from '../catalog/table.ts';
import { bare } from '../sql/walk.ts';
import { call, castTo, integer, operation, text } from './nodes.ts';
import type { ColumnOf } from './predicates.ts';

/** What a clock shows at a column's instant, cut to a unit or not: `event_time::date`, `date_trunc('hour', event_time)`. */
export interface ClockReading {
  readonly column: Column;
  /** No instant before it has a reading of this value or later. */
  first(value: Node): Node;
  /** No instant after it has a reading of this value or earlier. */
  last(value: Node): Node;
}

/** Of each unit the hours that it lasts at most. */
const HOURS: Readonly<Record<string, number>> = {
  second: 1,
  minute: 1,
  hour: 1,
  day: 24,
  week: 7 * 24,
  month: 31 * 24,
  quarter: 92 * 24,
  year: 366 * 24,
};

/** A clock of a zone. */
interface Clock {
  readonly column: Column;
  /** Undefined: the session's. */
  readonly zone: string | undefined;
  readonly lateHours: number;
}

export function clockReadingOf(node: Node, columnOf: ColumnOf): ClockReading | undefined {
  const instant = (value: Node | undefined): Column | undefined => {
    const column = columnOf(value);
    return column?.type === 'timestamp with time zone' ? column : undefined;
  };
  const day = dayOf(node);
  const own = instant(day);
  if (own !== undefined) return dayReading(own);
  const clock = day && clockOf(day, instant);
  if (clock !== undefined) return ofClock({ ...clock, lateHours: clock.lateHours + 24 }, 'date');
  const plain = clockOf(node, instant);
  return plain === undefined ? cutInstant(node, instant) : ofClock(plain, 'timestamp without time zone');
}

function dayReading(column: Column): ClockReading {
  return {
    column,
    first: (value) => call('first_instant', [castTo(value, 'date')], 'trailhound'),
    last: (value) => call('last_instant', [castTo(value, 'date')], 'trailhound'),
  };
}

/** `x::timestamp`, `x at time zone 'Europe/Berlin'`, `date_trunc('day', …)` of one of them. */
function clockOf(node: Node, instant: ColumnOf): Clock | undefined {
  const column = instant(castOf(node, 'timestamp'));
  if (column !== undefined) return { column, zone: undefined, lateHours: 0 };
  const [zone, shown] = argumentsOf(node, 'timezone') ?? [];
  const name = literalOf(zone);
  const own = instant(shown);
  if (own !== undefined && name !== undefined) return { column: own, zone: name, lateHours: 0 };
  const [unit, cut, ...others] = argumentsOf(node, 'date_trunc') ?? [];
  const hours = HOURS[literalOf(unit)?.toLowerCase() ?? ''];
  const inner = cut && clockOf(cut, instant);
  if (hours === undefined || inner === undefined || others.length > 0) return undefined;
  return { ...inner, lateHours: inner.lateHours + hours };
}

/** @param type of what the clock shows, and so of a literal that is compared with it */
function ofClock({ column, zone, lateHours }: Clock, type: string): ClockReading {
  const sessions = zoneMargin(sessionZone());
  // What is no clock's but an instant is compared by the session's clock, whatever zone the other is of.
  const margin = operation(sessions, '+', zone === undefined ? sessions : zoneMargin(text(zone)));
  const instantOf = (value: Node, otherwise: string): Node => {
    const shown = call('bounded_clock', [typed(value, type)], 'trailhound');
    if (zone === undefined) return castTo(shown, 'timestamp with time zone');
    return call(
      'instant_of_clock',
      [shown, text(zone), castTo(text(otherwise), 'timestamp with time zone')],
      'trailhound',
    );
  };
  return {
    column,
    first: (value) => call('first_instant', [instantOf(value, '-infinity'), margin], 'trailhound'),
    last: (value) => call('last_instant', [instantOf(value, 'infinity'), integer(lateHours), margin], 'trailhound'),
  };
}

/** `date_trunc('hour', x)`, `date_trunc('day', x, 'Europe/Berlin')`: an instant, compared as such. */
function cutInstant(node: Node, instant: ColumnOf): ClockReading | undefined {
  const [unit, cut, zone, ...others] = argumentsOf(node, 'date_trunc') ?? [];
  const hours = HOURS[literalOf(unit)?.toLowerCase() ?? ''];
  const column = instant(cut);
  const name = literalOf(zone);
  if (hours === undefined || column === undefined || others.length > 0) return undefined;
  if (zone !== undefined && name === undefined) return undefined;
  // Up to an hour, an instant is cut by what its own clock shows: only what is longer may span a change of the clock.
  const margin = zoneMargin(hours === 1 ? text('UTC') : name === undefined ? sessionZone() : text(name));
  const bounded = (value: Node): Node =>
    call('bounded_instant', [typed(value, 'timestamp with time zone')], 'trailhound');
  return {
    column,
    first: (value) => call('first_instant', [bounded(value), margin], 'trailhound'),
    last: (value) => call('last_instant', [bounded(value), integer(hours), margin], 'trailhound'),
  };
}

/** A literal takes the type of what it is compared with. */
function typed(value: Node, type: string): Node {
  return 'A_Const' in value ? castTo(value, type) : value;
}

function sessionZone(): Node {
  return call('current_setting', [text('TimeZone')]);
}

function zoneMargin(zone: Node): Node {
  return call('clock_margin', [zone], 'trailhound');
}

function literalOf(node: Node | undefined): string | undefined {
  return bare(node, 'A_Const')?.sval?.sval;
}

/** What a day is of: `x::date`, `date(x)`. */
function dayOf(node: Node): Node | undefined {
  const args = argumentsOf(node, 'date') ?? [];
  return castOf(node, 'date') ?? (args.length === 1 ? args[0] : undefined);
}

function castOf(node: Node, type: string): Node | undefined {
  const { arg, typeName } = bare(node, 'TypeCast') ?? {};
  const modifiers = [...(typeName?.arrayBounds ?? []), ...(typeName?.typmods ?? [])];
  return isOwn(typeName?.names, type) && modifiers.length === 0 ? arg : undefined;
}

function argumentsOf(node: Node, name: string): readonly Node[] | undefined {
  const { funcname, args } = bare(node, 'FuncCall') ?? {};
  return isOwn(funcname, name) ? args : undefined;
}

/** PostgreSQL's own type or function of this name. */
function isOwn(names: readonly Node[] | undefined, name: string): boolean {
  const parts = ['pg_catalog', ...(names ?? []).map((part) => bare(part, 'String')?.sval)].slice(-2);
  return parts[0] === 'pg_catalog' && parts[1] === name;
}
