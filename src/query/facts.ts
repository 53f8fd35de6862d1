import type { Catalog } from '../catalog/table.ts';
import type { RelationFacts } from '../planner/relation-facts.ts';
import type { FunctionFacts } from '../planner/statement.ts';
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
  readonly readable: ReadonlyMap<string, ReadonlySet<string> | 'all'>;
  /** A setting `trailhound.*` that is set and does not exist. */
  readonly misspelt: string | undefined;
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
  /** Every statement of the transaction sees what the first one saw. */
  readonly oneSnapshot: boolean;
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
  readonly functions:
    readonly { name: string; volatile: boolean; aggregate: boolean; set: boolean; strict: boolean }[] | null;
  readonly equality: boolean;
  readonly settings: Record<string, string | null>;
  readonly role: string;
  readonly user: string;
  readonly timeout: number;
  readonly misspelt: string | null;
  readonly encoding: string;
  readonly messages: string;
  readonly strings: string;
  readonly nulls: string;
  readonly digits: string;
  readonly dates: string;
  readonly isolation: string;
  readonly path: readonly string[];
}

/** Every lower level lets both through. */
const UNHEARD: Readonly<Record<string, StatementFacts['unheard']>> = {
  warning: new Set(['NOTICE']),
  error: new Set(['NOTICE', 'WARNING']),
};

export interface AskedNames {
  /** Names in FROM as relationName() writes them, which is as to_regclass() reads them. */
  readonly relations: readonly string[];
  readonly functions: readonly string[];
  /** Settings `trailhound.*` that the session has seen set and that do not exist. */
  readonly settings: readonly string[];
}

export async function askFacts(asked: AskedNames, catalog: Catalog, backend: ClientBackend): Promise<StatementFacts> {
  const parameters = new ParameterList([], []);
  parameters.addTextArray(asked.relations);
  parameters.addTextArray(asked.functions);
  parameters.addTextArray(SETTING_NAMES);
  parameters.addTextArray(asked.settings);
  const { rows } = await backend.query({
    text: 'select trailhound.statement_facts($1, $2, $3, $4)',
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
        relations.map(({ name, oid, kind, columns }) => [
          name,
          {
            oid,
            columns: columns ?? [],
            view: catalog.viewByOid(oid),
            unstable: unstable.has(name),
            stored: kind === 'r' || kind === 'p',
          },
        ]),
      ),
      functions: {
        volatile: new Set(found.filter((entry) => entry.volatile).map((entry) => entry.name)),
        aggregate: new Set(found.filter((entry) => entry.aggregate).map((entry) => entry.name)),
        strict: new Set(
          found
            .filter(({ name }) => found.every((entry) => entry.name !== name || entry.strict))
            .map((entry) => entry.name),
        ),
        setReturning: new Set(found.filter((entry) => entry.set).map((entry) => entry.name)),
        ownEquality: catalogFirst && answer.equality,
      },
    },
    readable: new Map(relations.map(({ name, readable }) => [name, readable === null ? 'all' : new Set(readable)])),
    misspelt: answer.misspelt ?? undefined,
    settings: answer.settings,
    role: answer.role,
    sessionUser: answer.user,
    statementTimeoutMs: answer.timeout,
    clientEncoding: answer.encoding,
    unheard: UNHEARD[answer.messages] ?? new Set(),
    standardConformingStrings: answer.strings === 'on',
    textRoundTrips: answer.nulls === 'on' && Number(answer.digits) >= 1 && answer.dates.startsWith('ISO'),
    oneSnapshot: answer.isolation === 'repeatable read' || answer.isolation === 'serializable',
    catalogFirst,
  };
}
