import { readEventPattern } from './event-pattern-text.ts';
import type { CallTable } from './call-table.ts';
import { eventStatement } from './event-statement.ts';
import { rulesIn, type EventRule } from './event-rules.ts';
import { findingStatement } from './finding-statement.ts';
import type { ImportedHunt, Importer, Refusal } from './importer.ts';
import { readYaml } from './read-yaml.ts';
import { patternSql } from './pattern-sql.ts';
import { placeOf, UnreadableRule } from './unreadable-rule.ts';

/** Rules of Amazon EventBridge, as patterns, as the service describes them, in CloudFormation's templates and Terraform's JSON. */
export const eventBridge: Importer = {
  kind: 'eventbridge',
  extensions: ['.json', '.yaml', '.yml', '.template'],
  read(files, table) {
    const hunts: ImportedHunt[] = [];
    const refused: Refusal[] = [];
    for (const { path, text } of files) {
      try {
        for (const { value } of readYaml(text, { showOldBooleans: true })) {
          for (const rule of rulesIn(value, path)) {
            const place = rule.where === '' ? path : `${path}: ${rule.where}`;
            try {
              hunts.push(...huntsOf(rule, place, table));
            } catch (error) {
              if (!(error instanceof UnreadableRule)) throw error;
              refused.push({ place, reason: error.message });
            }
          }
        }
      } catch (error) {
        if (!(error instanceof UnreadableRule)) throw error;
        refused.push({ place: placeOf(path, error.line), reason: error.message });
      }
    }
    return { hunts, refused };
  },
};

/** One for each table that has events which the pattern may match. */
function huntsOf(rule: EventRule, place: string, calls: CallTable): readonly ImportedHunt[] {
  const { text, subjects } = readEventPattern(rule.pattern);
  const { of, lost } = subjects;
  return of.map((subject) => {
    const record = subject === 'findings' ? 'f.finding' : 'e.cloudtrail_event';
    const { from, condition, matched } = patternSql(text, record);
    const parts = { severity: 'medium', condition, detail: [matched], from } as const;
    return {
      place,
      name: of.length === 1 ? rule.name : `${rule.name}-${subject}`,
      title: rule.description ?? `What matches the EventBridge rule ${rule.name}`,
      severity: parts.severity,
      tables: [subject === 'findings' ? 'guardduty_finding' : calls],
      watch: '1 day',
      origin: [
        `Amazon EventBridge rule ${rule.name}${rule.enabled ? '' : ', disabled'}`,
        ...(lost === undefined ? [] : [`Not in any table: ${lost}`]),
      ],
      lost,
      references: ['https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html'],
      statement: subject === 'findings' ? findingStatement(parts) : eventStatement(calls, parts),
    };
  });
}
