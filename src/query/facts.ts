import type { Catalog } from '../catalog/table.ts';
import type { FunctionFacts, RelationFacts } from '../planner/statement.ts';
import type { ClientBackend } from './backend.ts';
import { ParameterList } from './parameters.ts';
import { SETTING_NAMES } from './settings.ts';
import { unstableViews } from './unstable-views.ts';

/** All that planning reads besides the text: where these are alike, so is the plan. */
export interface PlanningFacts {
  /** By name as asked. */
  readonly relations: ReadonlyMap<string, RelationFacts>;
  readonly functions: FunctionFacts;
}

/** What one query on the client's backend says, which sees its temp tables, uncommitted DDL, role and settings. */
export interface StatementFacts {
  readonly planning: PlanningFacts;
  /** Columns that the current role may read, by name as asked. */
  readonly readable: ReadonlyMap<string, ReadonlySet<string>>;
  readonly settings: Readonly<Record<string, string | null>>;
  readonly role: string;
  readonly sessionUser: string;
  readonly statementTimeoutMs: number;
  readonly clientEncoding: string;
  /** Severities that the client does not want to hear, by client_min_messages. */
  readonly unheard: ReadonlySet<'NOTICE' | 'WARNING'>;
  readonly standardConformingStrings: boolean;
  /** A value written as text and read again in this session is the same value. */
  readonly textRoundTrips: boolean;
  /** pg_catalog is searched first, so that operators and functions are PostgreSQL's own. */
  readonly catalogFirst: boolean;
}

interface Answer {
  readonly relations:
    | readonly {
        name: string;
        oid: number;
        kind: string;
        columns: readonly string[] | null;
        readable: readonly string[] | null;
      }[]
    | null;
  readonly functions: readonly { name: string; volatile: boolean; aggregate: boolean; set: boolean }[] | null;
  readonly equality: boolean;
  readonly settings: Record<string, string | null>;
  readonly role: string;
  readonly user: string;
  readonly timeout: string;
  readonly encoding: string;
  readonly messages: string;
  readonly strings: string;
  readonly nulls: string;
  readonly digits: string;
  readonly dates: string;
  readonly path: readonly string[];
}

const SETTINGS_SQL = SETTING_NAMES.map((name) => {
  const value = `pg_catalog.current_setting('${name}', true)`;
  if (name !== 'trailhound.cache_max_age') return `'${name}', ${value}`;
  // An interval's length is for PostgreSQL to compute; what is none stays as it is and is refused later.
  const epoch = `(pg_catalog.extract('epoch', ${value}::pg_catalog.interval) operator(pg_catalog.*) 1000)::pg_catalog.text`;
  return `'${name}', case when pg_catalog.pg_input_is_valid(${value}, 'interval') then ${epoch} else ${value} end`;
}).join(', ');

const FACTS_SQL = `select pg_catalog.json_build_object(
  'relations', (select pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', n.name, 'oid', c.oid::pg_catalog.int8, 'kind', c.relkind,
      'columns', (select pg_catalog.json_agg(a.attname order by a.attnum) from pg_catalog.pg_attribute a
        where a.attrelid operator(pg_catalog.=) c.oid and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped),
      'readable', (select pg_catalog.json_agg(a.attname) from pg_catalog.pg_attribute a
        where a.attrelid operator(pg_catalog.=) c.oid and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped
          and pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'))) order by n.name)
    from pg_catalog.unnest($1::pg_catalog.text[]) as n(name)
    join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) pg_catalog.to_regclass(n.name)::pg_catalog.oid),
  'functions', (select pg_catalog.json_agg(pg_catalog.json_build_object('name', p.proname,
      'volatile', p.provolatile operator(pg_catalog.=) 'v', 'aggregate', p.prokind operator(pg_catalog.=) any (array['a', 'w']::pg_catalog."char"[]),
      'set', p.proretset) order by p.oid)
    from pg_catalog.pg_proc p where p.proname operator(pg_catalog.=) any ($2::pg_catalog.text[])),
  'equality', not exists (select from pg_catalog.pg_operator o
    where o.oprname operator(pg_catalog.=) any (array['=', '<>']::pg_catalog.name[])
      and o.oprnamespace operator(pg_catalog.<>) 'pg_catalog'::pg_catalog.regnamespace
      and 'pg_catalog.inet'::pg_catalog.regtype operator(pg_catalog.=) any (array[o.oprleft, o.oprright])
      and pg_catalog.pg_operator_is_visible(o.oid)),
  'settings', pg_catalog.json_build_object(${SETTINGS_SQL}),
  'role', current_user,
  'user', session_user,
  'timeout', (select s.setting from pg_catalog.pg_settings s where s.name operator(pg_catalog.=) 'statement_timeout'),
  'encoding', pg_catalog.current_setting('client_encoding'),
  'messages', pg_catalog.current_setting('client_min_messages'),
  'strings', pg_catalog.current_setting('standard_conforming_strings'),
  'nulls', pg_catalog.current_setting('array_nulls'),
  'digits', pg_catalog.current_setting('extra_float_digits'),
  'dates', pg_catalog.current_setting('datestyle'),
  'path', pg_catalog.current_schemas(true))::pg_catalog.text`;

/** Every lower level lets both through. */
const UNHEARD: Readonly<Record<string, StatementFacts['unheard']>> = {
  warning: new Set(['NOTICE']),
  error: new Set(['NOTICE', 'WARNING']),
};

export interface AskedNames {
  /** Names in FROM as relationName() writes them, which is as to_regclass() reads them. */
  readonly relations: readonly string[];
  readonly functions: readonly string[];
}

export async function askFacts(asked: AskedNames, catalog: Catalog, backend: ClientBackend): Promise<StatementFacts> {
  const parameters = new ParameterList([], []);
  parameters.addTextArray(asked.relations);
  parameters.addTextArray(asked.functions);
  const { rows } = await backend.query({
    text: FACTS_SQL,
    parameterTypes: parameters.types,
    parameters: parameters.values,
  });
  const answer = JSON.parse(rows[0]?.[0] ?? 'null') as Answer;
  const relations = answer.relations ?? [];
  const views = relations.filter(({ oid, kind }) => kind === 'v' && catalog.viewByOid(oid) === undefined);
  const unstable = await unstableViews(
    views.map(({ name }) => name),
    backend,
  );
  const found = answer.functions ?? [];
  const catalogFirst = answer.path.find((schema) => !schema.startsWith('pg_temp')) === 'pg_catalog';
  return {
    planning: {
      relations: new Map(
        relations.map(({ name, oid, columns }) => [
          name,
          { oid, columns: columns ?? [], view: catalog.viewByOid(oid), unstable: unstable.has(name) },
        ]),
      ),
      functions: {
        volatile: new Set(found.filter((entry) => entry.volatile).map((entry) => entry.name)),
        aggregate: new Set(found.filter((entry) => entry.aggregate).map((entry) => entry.name)),
        setReturning: new Set(found.filter((entry) => entry.set).map((entry) => entry.name)),
        ownEquality: catalogFirst && answer.equality,
      },
    },
    readable: new Map(relations.map(({ name, readable }) => [name, new Set(readable ?? [])])),
    settings: answer.settings,
    role: answer.role,
    sessionUser: answer.user,
    statementTimeoutMs: Number(answer.timeout),
    clientEncoding: answer.encoding,
    unheard: UNHEARD[answer.messages] ?? new Set(),
    standardConformingStrings: answer.strings === 'on',
    textRoundTrips: answer.nulls === 'on' && Number(answer.digits) >= 1 && answer.dates.startsWith('ISO'),
    catalogFirst,
  };
}
