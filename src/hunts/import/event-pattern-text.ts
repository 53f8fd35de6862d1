import { isMembers, parsedText } from './event-rules.ts';
import { subjectsOf, type EventSubjects } from './event-subject.ts';
import { OLD_BOOLEAN_KEY } from './read-yaml.ts';
import { UnreadableRule } from './unreadable-rule.ts';

export interface EventPattern {
  /** As the hunts get it. */
  readonly text: string;
  readonly subjects: EventSubjects;
}

/**
 * A rule's pattern. Whether it is one, PostgreSQL says; here is refused what matches no record of a table, and what is no
 * constant.
 *
 * @throws UnreadableRule
 */
export function readEventPattern(given: unknown): EventPattern {
  if (given === undefined || given === null) {
    throw new UnreadableRule(undefined, 'the rule has no event pattern: it runs on a schedule, or nothing is said yet');
  }
  const pattern = typeof given === 'string' ? parsedText(given) : given;
  if (!isMembers(pattern)) throw new UnreadableRule(undefined, 'the event pattern is no object');
  refuseUnknowns(pattern, '');
  return { text: readable(pattern, ''), subjects: subjectsOf(pattern) };
}

/** What CloudFormation computes, or Terraform would, is no constant. */
function refuseUnknowns(value: unknown, path: string): void {
  if (typeof value === 'string' && /\$\{(?!!)[^}]*\}/.test(value)) {
    throw new UnreadableRule(undefined, `"${value}" at ${path} has a value to be filled in`);
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === OLD_BOOLEAN_KEY) {
      throw new UnreadableRule(
        undefined,
        `${String(inner)} at ${path} is a boolean to CloudFormation: write it in quotes`,
      );
    }
    if (key === 'Ref' || key === 'Condition' || key.startsWith('Fn::') || key.startsWith('!')) {
      throw new UnreadableRule(
        undefined,
        `${key} at ${path === '' ? 'the top' : path} is known to CloudFormation alone`,
      );
    }
    refuseUnknowns(inner, Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`);
  }
}

/** JSON on one line where it fits, else a member a line. */
function readable(value: unknown, indent: string): string {
  const short = JSON.stringify(value).replaceAll('\\', '\\\\').length + indent.length;
  if (short <= 100 || typeof value !== 'object' || value === null) return spaced(value);
  const inner = `${indent}  `;
  const members = Array.isArray(value)
    ? value.map((each) => readable(each, inner))
    : Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${readable(each, inner)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}\n${members.map((each) => inner + each).join(',\n')}\n${indent}${close}`;
}

function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (!isMembers(value)) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}: ${spaced(each)}`)
    .join(', ')}}`;
}
