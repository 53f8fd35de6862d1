import { literal } from '../sql-literal.ts';

const WIDTH = 100;

/** Each of the conditions is true. */
export function both(conditions: readonly string[]): string {
  return linked('and', conditions);
}

/** One of the conditions is true. */
export function anyOf(conditions: readonly string[]): string {
  return linked('or', conditions);
}

/** In brackets where there are several, so that it can stand anywhere. */
function linked(operator: 'and' | 'or', conditions: readonly string[]): string {
  const [only, second] = conditions;
  if (only === undefined) return operator === 'and' ? 'true' : 'false';
  if (second === undefined) return only;
  const line = conditions.join(` ${operator} `);
  if (line.length <= WIDTH && !line.includes('\n')) return `(${line})`;
  return `(\n  ${conditions.map(indented).join(`\n  ${operator} `)}\n)`;
}

/** What stands two characters further to the right, from its second line on. */
export function indented(sql: string): string {
  return sql.replaceAll('\n', '\n  ');
}

/** Items with commas, in as many lines as it takes. */
export function list(items: readonly string[]): string {
  const lines: string[] = [];
  let line = '';
  for (const item of items) {
    if (line !== '' && line.length + item.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? item : `, ${item}`;
  }
  lines.push(line);
  return lines.length === 1 ? line : `\n  ${lines.join(',\n  ')}\n`;
}

/** A call takes a hundred arguments. */
const MEMBERS = 40;

/** A jsonb object of members, each its name in quotes and its value. */
export function jsonObject(members: readonly (readonly [name: string, value: string])[]): string {
  const objects: string[] = [];
  for (let at = 0; at < members.length; at += MEMBERS) {
    const some = members.slice(at, at + MEMBERS).map(([name, value]) => `${literal(name)}, ${value}`);
    objects.push(`jsonb_build_object(${list(some)})`);
  }
  return objects.length === 0 ? `'{}'::jsonb` : objects.join(' || ');
}

/** A jsonb object of those members that are not NULL. */
export function knownMembers(members: readonly (readonly [name: string, value: string])[]): string {
  if (members.length === 0) return `'{}'::jsonb`;
  const rows = members.map(([name, value]) => `(${literal(name)}, ${indented(indented(value))})`);
  return `(
  select jsonb_object_agg(name, value)
  from (values
    ${rows.join(',\n    ')}
  ) as m(name, value)
  where value is not null
)`;
}
