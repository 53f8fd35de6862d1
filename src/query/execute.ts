import type { ExecuteStmt } from '@pgsql/types';
import { modificationOf } from '../sql/modification.ts';
import { parseStatements } from '../sql/parse.ts';
import { replaceBytes, Slices } from '../sql/substitute.ts';
import { bare } from '../sql/walk.ts';
import type { ClientBackend, Description, Parameter } from './backend.ts';
import { ParameterList } from './parameters.ts';

/** EXECUTE as the statement that it runs. */
export interface Executed {
  /** The client's text with the prepared statement in EXECUTE's place. */
  readonly text: string;
  readonly parameterTypes: readonly number[];
  /** EXECUTE's arguments as PostgreSQL computes and converts them. Volatile ones differ each time: ask once. */
  computeArguments(): Promise<readonly Parameter[]>;
}

const PREPARED_SQL = `select p.statement, pg_catalog.array_to_json(p.parameter_types::pg_catalog.oid[]::pg_catalog.int8[])::pg_catalog.text
  from pg_catalog.pg_prepared_statements p where p.name operator(pg_catalog.=) $1`;

/** A target list may have no more entries (MaxTupleAttributeNumber in htup_details.h). */
const MAX_ARGUMENTS = 1664;

/** Cheap: what EXECUTE runs was prepared before, by any name. Triggers and event triggers EXECUTE FUNCTION. */
export function mayExecute(lower: string): boolean {
  const word = 'execute';
  for (let at = lower.indexOf(word); at !== -1; at = lower.indexOf(word, at + 1)) {
    const next = lower.slice(at + word.length, at + word.length + 32).trimStart();
    if (!next.startsWith('function') && !next.startsWith('procedure')) return true;
  }
  return false;
}

/**
 * Undefined: PostgreSQL runs it alone. The prepared statement concerns nothing of ours, is gone, takes another number of
 * arguments, or its names no longer mean what they meant when it was prepared.
 */
export async function executedText(
  { name = '', params = [] }: ExecuteStmt,
  text: string,
  backend: ClientBackend,
  concerns: (text: string) => boolean,
): Promise<Executed | undefined> {
  const prepared = await preparedStatement(name, backend);
  if (prepared === undefined || !concerns(prepared.text)) return undefined;
  const { parameterTypes } = prepared;
  if (parameterTypes.length !== params.length || params.length > MAX_ARGUMENTS) return undefined;
  const inner = parseStatements(prepared.text)?.[0]?.node;
  const isSelect = inner !== undefined && 'SelectStmt' in inner;
  if (inner === undefined || !(isSelect || modificationOf(inner) !== undefined)) return undefined;
  const execution = new Slices(text).execution();
  if (execution === undefined || (execution.afterAs && !isSelect)) return undefined;
  const [before, now] = await Promise.all([
    backend.describePrepared(name, text),
    backend.describe(prepared.text, parameterTypes),
  ]);
  if (!isSameResult(before, now)) return undefined;
  const own = execution.afterAs ? `(${prepared.text}\n)` : `${prepared.text}\n`;
  return {
    text: replaceBytes(text, [{ start: execution.start, end: execution.end, text: own }]),
    parameterTypes,
    computeArguments: async () => {
      if (params.length === 0) return [];
      const { rows } = await backend.executeArguments({ text, ...execution }, parameterTypes);
      return (rows[0] ?? []).map((value) => ({ format: 0, value: value === null ? null : Buffer.from(value) }));
    },
  };
}

/** Its own text, without `prepare name as` and a semicolon. */
async function preparedStatement(
  name: string,
  backend: ClientBackend,
): Promise<{ readonly text: string; readonly parameterTypes: readonly number[] } | undefined> {
  const parameters = new ParameterList([], []);
  parameters.addText(name);
  const { rows } = await backend.query({
    text: PREPARED_SQL,
    parameterTypes: parameters.types,
    parameters: parameters.values,
  });
  const [stored, types] = rows[0] ?? [];
  const statements = parseStatements(stored ?? '') ?? [];
  const prepares = statements.filter(({ node }) => 'PrepareStmt' in node);
  const [own, ...others] =
    prepares.length === 0 ? statements : prepares.filter(({ node }) => bare(node, 'PrepareStmt')?.name === name);
  // The text of PREPARE is that of the whole Query, which may prepare one name twice.
  if (own === undefined || others.length > 0) return undefined;
  return { text: new Slices(own.text).preparedQuery(), parameterTypes: JSON.parse(types ?? '[]') as number[] };
}

function isSameResult({ fields: before }: Description, { fields: now }: Description): boolean {
  const facts = (fields: Description['fields']): unknown[] | undefined =>
    fields?.map(({ name, tableOid, attnum, typeOid, typeModifier }) => [name, tableOid, attnum, typeOid, typeModifier]);
  return JSON.stringify(facts(before)) === JSON.stringify(facts(now));
}
