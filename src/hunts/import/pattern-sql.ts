import type { DetailMember } from './event-statement.ts';
import { jsonLiteral } from './sql-literal.ts';

/** What a statement over records asks of an event pattern. */
export interface PatternSql {
  /** An item of FROM: the pattern, which stands in the statement once. */
  readonly from: string;
  readonly condition: string;
  /** Which fields matched, by which of the pattern's rules. */
  readonly matched: DetailMember;
}

/** @param record the record's column, as jsonb */
export function patternSql(pattern: string, record: string): PatternSql {
  const event = `trailhound.as_event(${record})`;
  return {
    from: `(values (${jsonLiteral(pattern)}::jsonb)) as rule (pattern)`,
    condition: `trailhound.event_matches(${event}, rule.pattern)`,
    matched: [
      'matched',
      `(\n  select jsonb_agg(to_jsonb(m)) from trailhound.event_match_reasons(${event}, rule.pattern) as m\n)`,
    ],
  };
}
