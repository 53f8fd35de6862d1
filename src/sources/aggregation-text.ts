import type { Aggregation } from './source.ts';

/** `count(*), max(event_time) by event_name`, as EXPLAIN and `trailhound.scan` say it. */
export function aggregationText({ groupBy, aggregates }: Aggregation): string {
  const calls = aggregates.flatMap(({ function: name, column }) =>
    name === 'any_value' ? [] : [`${name}(${column?.name ?? '*'})`],
  );
  const by = groupBy.map(({ name }) => name).join(', ');
  return by === '' ? calls.join(', ') : `${calls.join(', ')} by ${by}`;
}
