import type { Generated } from './generated.ts';
import type { Making } from './model.ts';
import { nameIn, shape } from './model.ts';
import { OIDS } from './values.ts';

/** What a statement is sent in: as it is, prepared, copied, behind rows that its transaction has written. */
export function inVessel(making: Making, statement: Generated): Generated {
  const { tape } = making;
  const afterwards = making.afterwards.toReversed();
  const staged = (before: readonly string[], back: readonly string[] = []): Generated['stage'] =>
    making.before.length + before.length === 0
      ? undefined
      : { before: [...making.before, ...before], afterwards: [...back, ...afterwards] };
  const { text, values, after, choice } = statement;
  switch (tape.pick(['plain', 'plain', 'plain', 'plain', 'plain', 'prepared', 'copied', 'uncommitted'] as const)) {
    case 'plain':
      break;
    case 'prepared': {
      if (/^(create|declare)/.test(text)) break;
      shape(making, 'prepared');
      const name = nameIn(making, 'q');
      const types = values.length === 0 ? '' : `(${values.map(({ type }) => nameOf(type)).join(', ')})`;
      const list = values.length === 0 ? '' : `(${literalsOf(statement).join(', ')})`;
      return {
        ...statement,
        text: `execute ${name}${list}`,
        values: [],
        allowed: new Map(
          [...statement.allowed].map(([table, all]) => [table, all.map((each) => inlined(each, statement))]),
        ),
        ...(choice === undefined ? {} : { choice: { ...choice, text: inlined(choice.text, statement) } }),
        stage: staged([`prepare ${name}${types} as ${text}`], [`deallocate ${name}`]),
      };
    }
    case 'copied':
      if (after !== undefined || choice !== undefined || values.length > 0) break;
      shape(making, 'copied');
      return { ...statement, text: `copy (${text}) to stdout`, copies: true, stage: staged(['select 1']) };
    case 'uncommitted': {
      shape(making, 'uncommitted rows');
      const begin = after !== undefined ? [] : [tape.pick(['begin', 'begin isolation level repeatable read'])];
      const insert = "insert into seen values ('34.1.1.4', 'user3'), ('34.1.1.9', 'NL')";
      return { ...statement, stage: staged([...begin, insert], after !== undefined ? [] : ['rollback']) };
    }
  }
  return { ...statement, stage: staged([]) };
}

function inlined(text: string, statement: Generated): string {
  const literals = literalsOf(statement);
  return text.replaceAll(/\$(\d+)/g, (_mark, number: string) => literals[Number(number) - 1] ?? 'null');
}

function literalsOf({ values }: Generated): readonly string[] {
  return values.map(({ type, value }) =>
    value === null ? `null::${nameOf(type)}` : `'${value.toString().replaceAll("'", "''")}'::${nameOf(type)}`,
  );
}

function nameOf(oid: number): string {
  return Object.entries(OIDS).find(([, own]) => own === oid)?.[0] ?? 'unknown';
}
