import { readEventPattern } from './event-pattern-text.ts';
import { eventStatement, literal } from './event-statement.ts';
import { rulesIn, type EventRule } from './event-rules.ts';
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
        for (const { value } of readYaml(text)) {
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
  const pattern = readEventPattern(rule.pattern);
  const condition = `trailhound.event_matches(trailhound.as_event(e.cloudtrail_event), ${literal(pattern)})`;
  return {
    place,
    name: rule.name,
    title: rule.description ?? `Events that match the EventBridge rule ${rule.name}`,
    severity: 'medium',
    tables: ['cloudtrail_trail_event'],
    origin: [`Amazon EventBridge rule ${rule.name}${rule.enabled ? '' : ', disabled'}`],
    references: ['https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html'],
    statement: eventStatement('medium', condition),
  };
}
