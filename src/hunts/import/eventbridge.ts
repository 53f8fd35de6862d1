import { readEventPattern } from './event-pattern-text.ts';
import { eventStatement, jsonLiteral } from './event-statement.ts';
import { rulesIn, type EventRule } from './event-rules.ts';
import { findingStatement } from './finding-statement.ts';
import type { ImportedHunt, Importer, Refusal } from './importer.ts';
import { readYaml } from './read-yaml.ts';
import { placeOf, UnreadableRule } from './unreadable-rule.ts';

/** Rules of Amazon EventBridge, as patterns, as the service describes them, in CloudFormation's templates and Terraform's JSON. */
export const eventBridge: Importer = {
  kind: 'eventbridge',
  extensions: ['.json', '.yaml', '.yml', '.template'],
  read(files) {
    const hunts: ImportedHunt[] = [];
    const refused: Refusal[] = [];
    for (const { path, text } of files) {
      try {
        for (const { value } of readYaml(text, { showOldBooleans: true })) {
          for (const rule of rulesIn(value, path)) {
            const place = rule.where === '' ? path : `${path}: ${rule.where}`;
            try {
              hunts.push(huntOf(rule, place));
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

function huntOf(rule: EventRule, place: string): ImportedHunt {
  const { text, of } = readEventPattern(rule.pattern);
  const record = of === 'findings' ? 'f.finding' : 'e.cloudtrail_event';
  const condition = `trailhound.event_matches(trailhound.as_event(${record}), ${jsonLiteral(text)})`;
  return {
    place,
    name: rule.name,
    title: rule.description ?? `What matches the EventBridge rule ${rule.name}`,
    severity: 'medium',
    tables: [of === 'findings' ? 'guardduty_finding' : 'cloudtrail_trail_event'],
    watch: '1 day',
    origin: [`Amazon EventBridge rule ${rule.name}${rule.enabled ? '' : ', disabled'}`],
    references: ['https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html'],
    statement: of === 'findings' ? findingStatement('medium', condition) : eventStatement('medium', condition),
  };
}
