import path from 'node:path';
import { readYaml } from './read-yaml.ts';
import { UnreadableRule } from './unreadable-rule.ts';

/** A rule of EventBridge, wherever it stood. */
export interface EventRule {
  readonly name: string;
  /** Within its file: `Resources.RootLogin`. Empty: the file is the rule. */
  readonly where: string;
  readonly description?: string | undefined;
  readonly enabled: boolean;
  /** An object, or its text; undefined where the rule has none. */
  readonly pattern: unknown;
}

type Members = Readonly<Record<string, unknown>>;

/** The rules of a parsed file; empty where it is about something else. */
export function rulesIn(value: unknown, file: string): readonly EventRule[] {
  const name = path.basename(file).replace(/\.[^.]*$/, '');
  if (Array.isArray(value)) {
    return value.flatMap((each, index) =>
      rulesIn(each, file).map((rule) =>
        rule.where === '' && rule.name === name
          ? { ...rule, name: `${name}-${index + 1}`, where: `[${index}]` }
          : { ...rule, where: `[${index}]${rule.where === '' ? '' : `.${rule.where}`}` },
      ),
    );
  }
  // What jsonencode() gives is a text, and so it may have been saved.
  if (typeof value === 'string') return rulesIn(parsedText(value), file);
  if (!isMembers(value)) return [];
  if (isMembers(value['Resources'])) return templateRules(value['Resources']);
  if (Array.isArray(value['Rules'])) return value['Rules'].filter(isMembers).map((rule) => describedRule(rule, name));
  if ('EventPattern' in value || 'ScheduleExpression' in value) return [{ ...describedRule(value, name), where: '' }];
  if ('planned_values' in value || 'terraform_version' in value) return terraformRules(value);
  return looksLikePattern(value) ? [{ name, where: '', enabled: true, pattern: value }] : [];
}

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html */
function describedRule(rule: Members, otherwise: string): EventRule {
  const name = textIn(rule, 'Name') ?? otherwise;
  return {
    name,
    where: name,
    description: textIn(rule, 'Description'),
    enabled: rule['State'] !== 'DISABLED',
    pattern: rule['EventPattern'],
  };
}

/** Rules of their own, and those that a function of the Serverless Application Model is called by. */
function templateRules(resources: Members): readonly EventRule[] {
  return Object.entries(resources).flatMap(([id, resource]) => {
    if (!isMembers(resource) || !isMembers(resource['Properties'])) return [];
    const properties = resource['Properties'];
    switch (resource['Type']) {
      case 'AWS::Events::Rule':
        return [{ ...describedRule(properties, id), where: `Resources.${id}` }];
      case 'AWS::Serverless::Function':
      case 'AWS::Serverless::StateMachine':
        return functionRules(id, properties['Events']);
      default:
        return [];
    }
  });
}

function functionRules(id: string, events: unknown): readonly EventRule[] {
  if (!isMembers(events)) return [];
  return Object.entries(events).flatMap(([event, body]) => {
    if (!isMembers(body) || !isMembers(body['Properties'])) return [];
    if (body['Type'] !== 'EventBridgeRule' && body['Type'] !== 'CloudWatchEvent') return [];
    const properties = body['Properties'];
    const where = `Resources.${id}.Events.${event}`;
    return [
      {
        name: textIn(properties, 'RuleName') ?? `${id}-${event}`,
        where,
        enabled: properties['State'] !== 'DISABLED' && properties['Enabled'] !== false,
        pattern: properties['Pattern'],
      },
    ];
  });
}

/**
 * `terraform show -json` of a plan or a state, and the state's own file.
 * https://developer.hashicorp.com/terraform/internals/json-format
 */
function terraformRules(file: Members): readonly EventRule[] {
  const { planned_values: planned, values, resources } = file;
  if (isMembers(planned)) return moduleRules(planned['root_module']);
  if (isMembers(values)) return moduleRules(values['root_module']);
  return membersIn(resources).flatMap((resource) =>
    resource['type'] === 'aws_cloudwatch_event_rule'
      ? membersIn(resource['instances']).map((instance) =>
          terraformRule(instance['attributes'], String(resource['name']), `${RULE}.${String(resource['name'])}`),
        )
      : [],
  );
}

const RULE = 'aws_cloudwatch_event_rule';

function moduleRules(module: unknown): readonly EventRule[] {
  if (!isMembers(module)) return [];
  const own = membersIn(module['resources'])
    .filter(({ type, mode }) => type === RULE && mode !== 'data')
    .map(({ values, name, address }) => terraformRule(values, String(name), String(address)));
  return [...own, ...membersIn(module['child_modules']).flatMap(moduleRules)];
}

function terraformRule(values: unknown, name: string, where: string): EventRule {
  const rule = isMembers(values) ? values : {};
  return {
    name: textIn(rule, 'name') ?? name,
    where,
    description: textIn(rule, 'description'),
    enabled: rule['state'] !== 'DISABLED' && rule['is_enabled'] !== false,
    pattern: rule['event_pattern'] ?? undefined,
  };
}

/** Fields of the envelope, each with a list of values or fields below. */
function looksLikePattern(value: Members): boolean {
  const names = Object.keys(value);
  return (
    names.some((name) => ENVELOPE.has(name)) &&
    names.every((name) => typeof value[name] === 'object' && value[name] !== null)
  );
}

/** Of an event, beside `$or` of a pattern. */
export const ENVELOPE: ReadonlySet<string> = new Set([
  '$or',
  'account',
  'detail',
  'detail-type',
  'id',
  'region',
  'resources',
  'source',
  'time',
  'version',
]);

/**
 * By way of YAML, of which JSON is a part: JSON.parse() keeps the last of several members of one name, and rounds numbers.
 *
 * @throws UnreadableRule where it is no JSON.
 */
export function parsedText(text: string): unknown {
  refuseOtherThanJson(text);
  try {
    return readYaml(text)[0]?.value;
  } catch (error) {
    // The line would be one of the text, not of the file.
    throw error instanceof UnreadableRule ? new UnreadableRule(undefined, error.message) : error;
  }
}

function refuseOtherThanJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new UnreadableRule(
      undefined,
      `the text is no JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function membersIn(value: unknown): readonly Members[] {
  return Array.isArray(value) ? value.filter(isMembers) : [];
}

function textIn(members: Members, name: string): string | undefined {
  const value = members[name];
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
