import path from 'node:path';
import type { CallTable } from '../call-table.ts';
import type { ImportedHunt, Importer, Refusal, RuleFile } from '../importer.ts';
import { eventStatement } from '../event-statement.ts';
import { readYaml } from '../read-yaml.ts';
import { placeOf, UnreadableRule } from '../unreadable-rule.ts';
import { correlationStatement } from './correlation-sql.ts';
import { fieldsOf } from './field.ts';
import { readRule, type DetectionRule, type Rule } from './rule.ts';
import { RuleBook } from './rule-book.ts';
import { matchedSelections, ruleCondition } from './rule-sql.ts';
import { jsonObject } from './sql-text.ts';

/** A rule is a page or two. */
const MAX_LENGTH = 1024 * 1024;

/** Rules of Sigma for CloudTrail, and correlations of them. */
export const sigma: Importer = {
  kind: 'sigma',
  extensions: ['.yml', '.yaml'],
  read(files, table) {
    const refused: Refusal[] = [];
    const attempt = <T>(place: string, work: () => T): T | undefined => {
      try {
        return work();
      } catch (error) {
        if (!(error instanceof UnreadableRule)) throw error;
        refused.push({ place: error.line === undefined ? place : placeOf(place, error.line), reason: error.message });
        return undefined;
      }
    };
    const rules = files
      .flatMap((file) => attempt(file.path, () => documentsIn(file)) ?? [])
      .flatMap(({ value, place, fileName }) => {
        const rule = attempt(place, () => readRule(value, place));
        return rule === undefined ? [] : [{ ...rule, fileName }];
      });
    const book = new RuleBook(rules);
    const hunts = rules.flatMap(
      (rule) => attempt(rule.place, () => (book.isPart(rule) ? [] : [huntOf(rule, rule.fileName, book, table)])) ?? [],
    );
    return { hunts, refused };
  },
};

interface PlacedDocument {
  readonly value: unknown;
  readonly place: string;
  /** Of a file with one rule: by its name, rules of Sigma are known. */
  readonly fileName: string | undefined;
}

function documentsIn(file: RuleFile): readonly PlacedDocument[] {
  if (file.text.length > MAX_LENGTH) throw new UnreadableRule(undefined, 'the file is larger than 1 MiB');
  const documents = readYaml(file.text).filter(({ value }) => value !== null && value !== undefined);
  const name = path.basename(file.path).replace(/\.[^.]*$/, '');
  return documents.map(({ value, line }) => ({
    value,
    place: documents.length === 1 ? file.path : placeOf(file.path, line),
    fileName: documents.length === 1 ? name : undefined,
  }));
}

function huntOf(rule: Rule, fileName: string | undefined, book: RuleBook, table: CallTable): ImportedHunt {
  const { place, title, severity, mitre, falsePositives, references, origin } = rule;
  return {
    place,
    name: fileName ?? rule.name ?? title,
    title,
    severity,
    mitre: [...new Set(mitre)],
    tables: [table],
    origin,
    // Whether a correlation is fulfilled depends on what came before.
    watch: rule.kind === 'detection' ? '1 day' : undefined,
    falsePositives,
    references,
    statement:
      rule.kind === 'detection'
        ? detectionStatement(rule, rule.detection, table)
        : correlationStatement(rule, book, table),
  };
}

function detectionStatement({ severity }: Rule, detection: DetectionRule, table: CallTable): string {
  const { condition, selections, fields } = detection;
  const fieldOf = fieldsOf(table);
  return eventStatement(table, {
    severity,
    condition: ruleCondition(condition, selections, fieldOf),
    detail: [
      ['matched', matchedSelections(condition, selections, fieldOf)],
      ...(fields.length === 0
        ? []
        : [['fields', jsonObject(fields.map((field) => [field, fieldOf(field).value]))] as const]),
    ],
  });
}
