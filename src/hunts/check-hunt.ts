import { parseStatements } from '../sql/parse.ts';
import { bare, walk } from '../sql/walk.ts';
import { FIRST_COLUMNS, type Hunt } from './hunt.ts';
import type { SqlClient } from './sql-client.ts';

/**
 * What is wrong with a hunt, as sentences; empty: nothing. The server is asked for the statement's columns, which calls
 * no source.
 */
export async function checkHunt(client: SqlClient, hunt: Hunt): Promise<readonly string[]> {
  const used = usesOf(hunt.sql);
  if (typeof used === 'string') return [used];
  const problems = [
    ...difference(
      'parameter',
      [...used.parameters.keys()],
      hunt.parameters.map(({ name }) => name),
    ),
    ...difference('table', [...used.tables], hunt.tables),
    ...hunt.parameters.flatMap(({ name, defaultValue }) => {
      const own = used.parameters.get(name);
      if (defaultValue === undefined) {
        return own === undefined || own === ''
          ? []
          : [`${name} is required in the comment block, but "${own}" by default in the statement.`];
      }
      return own === undefined || own === defaultValue
        ? []
        : [`The default of ${name} is "${defaultValue}" in the comment block, but "${own}" in the statement.`];
    }),
  ];
  try {
    const columns = await client.describe(hunt.sql);
    const wrong = FIRST_COLUMNS.findIndex((name, index) => columns[index] !== name);
    if (wrong >= 0) {
      problems.push(
        `Column ${wrong + 1} is ${columns[wrong] ?? 'missing'}, but it must be ${String(FIRST_COLUMNS[wrong])}.`,
      );
    }
    // Its constants are computed as it is planned, which finds a pattern that is none.
    for await (const _ of client.run(`explain ${hunt.sql}`));
    for (const { name, type, defaultValue } of hunt.parameters) {
      if (defaultValue !== undefined && !(await isA(client, type, defaultValue))) {
        problems.push(`The default of ${name}, "${defaultValue}", is no ${type}.`);
      }
    }
    if (hunt.watch !== undefined && !(await isA(client, 'interval', hunt.watch))) {
      problems.push(`What follows watch, "${hunt.watch}", is no interval.`);
    }
  } catch (error) {
    problems.push(`PostgreSQL says: ${error instanceof Error ? error.message : String(error)}.`);
  }
  return problems;
}

async function isA(client: SqlClient, type: string, value: string): Promise<boolean> {
  const [row] = await client.rows('select pg_catalog.pg_input_is_valid($1, $2)::text', [value, type]);
  return row?.[0] === 'true';
}

interface Uses {
  /** By name, the default; empty where the statement has none. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly tables: ReadonlySet<string>;
}

function usesOf(sql: string): Uses | string {
  const statements = parseStatements(sql);
  if (statements === undefined) return 'PostgreSQL cannot parse the statement.';
  const [statement, second] = statements;
  if (statement === undefined || second !== undefined) return 'A hunt is one statement.';
  if (bare(statement.node, 'SelectStmt') === undefined) return 'A hunt is a SELECT.';

  const parameters = new Map<string, string>();
  const tables = new Set<string>();
  const queries = new Set<string>();
  walk(statement.node, (node) => {
    const setting = settingName(node);
    if (setting !== undefined && !parameters.has(setting)) parameters.set(setting, '');
    const [first, fallback] = bare(node, 'CoalesceExpr')?.args ?? [];
    const named = first === undefined ? undefined : settingBelow(first);
    if (named !== undefined) parameters.set(named, bare(fallback, 'A_Const')?.sval?.sval ?? '');
    const table = bare(node, 'RangeVar')?.relname;
    if (table !== undefined) tables.add(table);
    const query = bare(node, 'CommonTableExpr')?.ctename;
    if (query !== undefined) queries.add(query);
    return true;
  });
  return { parameters, tables: new Set([...tables].filter((name) => !queries.has(name))) };
}

type Walked = Parameters<Parameters<typeof walk>[1]>[0];

/** `since` of `current_setting('hunt.since', true)`. */
function settingName(node: Walked): string | undefined {
  const call = bare(node, 'FuncCall');
  const name = call?.funcname?.at(-1);
  if (bare(name, 'String')?.sval !== 'current_setting') return undefined;
  const setting = bare(call?.args?.[0], 'A_Const')?.sval?.sval;
  return setting?.startsWith('hunt.') === true ? setting.slice('hunt.'.length) : undefined;
}

function settingBelow(node: Walked): string | undefined {
  let found: string | undefined;
  walk(node, (inner) => {
    found ??= settingName(inner);
    return found === undefined;
  });
  return found;
}

function difference(what: string, used: readonly string[], declared: readonly string[]): string[] {
  return [
    ...used
      .filter((name) => !declared.includes(name))
      .map((name) => `The comment block does not name ${what} ${name}.`),
    ...declared.filter((name) => !used.includes(name)).map((name) => `The statement does not use ${what} ${name}.`),
  ];
}
