import { TrailhoundError } from '../kernel/errors.ts';
import { nearest } from '../kernel/nearest.ts';
import type { Hunt } from './hunt.ts';
import type { SqlClient } from './sql-client.ts';
import type { ResultEvent, ResultField, ResultRow } from './text-query.ts';

export type Parameters = Readonly<Record<string, string>>;

/** `since=7 days` */
export function parseParameters(texts: readonly string[]): Parameters {
  const parameters: Record<string, string> = {};
  for (const text of texts) {
    const match = /^([a-z][a-z0-9_]*)=(.*)$/s.exec(text);
    if (match?.[1] === undefined || match[2] === undefined) {
      throw new TrailhoundError('configuration', `--param: expected name=value, found "${text}"`, {
        hint: 'Write --param since=24h.',
      });
    }
    parameters[match[1]] = match[2];
  }
  return parameters;
}

/** Every parameter must be one of some hunt that is about to run. */
export function checkParameterNames(hunts: readonly Hunt[], parameters: Parameters): void {
  const known = [...new Set(hunts.flatMap((hunt) => hunt.parameters.map(({ name }) => name)))];
  for (const name of Object.keys(parameters)) {
    if (known.includes(name)) continue;
    const guess = nearest(name, known);
    throw new TrailhoundError('configuration', `--param: ${hunts.map(({ id }) => id).join(', ')} has no ${name}`, {
      hint: guess === undefined ? `There are ${known.join(', ')}.` : `Did you mean ${guess}?`,
    });
  }
}

/** Sets `hunt.<name>` for the session. */
export async function setParameters(client: SqlClient, parameters: Parameters): Promise<void> {
  for (const [name, value] of Object.entries(parameters)) {
    await client.rows(`select pg_catalog.set_config($1, $2, false)`, [`hunt.${name}`, value]);
  }
}

/** Principals, addresses and accounts that are taken for granted; `*` stands for any text. */
export type Known = readonly string[];

export type HuntEvent = ResultEvent | { readonly kind: 'known'; readonly rows: number };

/**
 * Runs one hunt and yields its result, with the hunt's overridden severity in place of the statement's own, and without
 * the rows that `known` takes for granted; how many those were is the last event.
 */
export async function* runHunt(
  client: SqlClient,
  hunt: Hunt,
  parameters: Parameters,
  options: { readonly known: Known; readonly overridden: boolean },
): AsyncGenerator<HuntEvent> {
  await checkValues(client, hunt, parameters);
  // A hunt with a parameter of that name does by itself what is to be done with them.
  const knowsItself = hunt.parameters.some(({ name, type }) => name === 'known' && type === 'text[]');
  const given =
    knowsItself && options.known.length > 0 ? { known: likePatterns(options.known), ...parameters } : parameters;
  // Those that are not given are emptied: an earlier hunt of this session may have set them.
  const own = Object.fromEntries(hunt.parameters.map(({ name }) => [name, given[name] ?? '']));
  await setParameters(client, own);

  const isKnown = knownMatcher(knowsItself ? [] : options.known);
  let fields: readonly ResultField[] = [];
  let dropped = 0;
  for await (const event of client.run(hunt.sql)) {
    if (event.kind === 'fields') fields = event.fields;
    if (event.kind !== 'rows') {
      yield event;
      continue;
    }
    const kept = event.rows.filter((row) => !isKnown(fields, row));
    dropped += event.rows.length - kept.length;
    yield { kind: 'rows', rows: options.overridden ? kept.map((row) => withSeverity(fields, row, hunt)) : kept };
  }
  yield { kind: 'known', rows: dropped };
}

/** @throws TrailhoundError `configuration` where a value is none of its parameter's type. */
export async function checkValues(client: SqlClient, hunt: Hunt, parameters: Parameters): Promise<void> {
  for (const { name, type, defaultValue, description } of hunt.parameters) {
    const value = parameters[name];
    if (value === undefined || value === '') continue;
    const [row] = await client.rows(`select pg_catalog.pg_input_is_valid($1, $2)::text`, [value, type]);
    if (row?.[0] === 'true') continue;
    throw new TrailhoundError('configuration', `--param ${name}: "${value}" is no ${type}`, {
      hint: defaultValue === undefined ? `Write ${description}.` : `The default of ${hunt.id} is "${defaultValue}".`,
    });
  }
}

/** `*` as LIKE has it; a literal of text[]. */
function likePatterns(known: Known): string {
  const patterns = known.map((text) => text.replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%'));
  return `{${patterns.map((pattern) => JSON.stringify(pattern)).join(',')}}`;
}

const IDENTIFYING = ['principal', 'source_ip', 'account_id'];

function knownMatcher(known: Known): (fields: readonly ResultField[], row: ResultRow) => boolean {
  if (known.length === 0) return () => false;
  const patterns = known.map((text) => new RegExp(`^${text.split('*').map(literally).join('.*')}$`, 's'));
  return (fields, row) =>
    fields.some(({ name }, index) => {
      const value = row[index];
      return (
        value !== null &&
        value !== undefined &&
        IDENTIFYING.includes(name) &&
        patterns.some((pattern) => pattern.test(value))
      );
    });
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function withSeverity(fields: readonly ResultField[], row: ResultRow, hunt: Hunt): ResultRow {
  return row.map((value, index) => (fields[index]?.name === 'severity' ? hunt.severity : value));
}
