import { columnsOf } from './expressions.ts';
import type { Column, Item, Making, Need, Scope } from './model.ts';
import { nameIn, NOTHING, piece, shape } from './model.ts';

interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
}

const column = (name: string, type: Column['type']): Column => ({ name, type });

const EVENTS: Table = {
  name: 'cloudtrail_trail_event',
  columns: [
    column('source_ip', 'inet'),
    column('source_ip_address', 'text'),
    column('event_id', 'text'),
    column('event_name', 'text'),
    column('username', 'text'),
    column('error_code', 'text'),
    column('read_only', 'bool'),
    column('request_parameters', 'json'),
  ],
};
const FINDINGS: Table = {
  name: 'guardduty_finding',
  columns: [column('remote_ip', 'inet'), column('id', 'text'), column('type', 'text'), column('user_name', 'text')],
};
const LOCAL: readonly Table[] = [
  { name: 'watchlist', columns: [column('address', 'inet'), column('note', 'text')] },
  { name: 'suspect', columns: [column('ip', 'text'), column('who', 'text'), column('weight', 'int')] },
  { name: 'nobody', columns: [column('ip_address', 'inet'), column('user_name', 'text')] },
  {
    name: 'bundle',
    columns: [column('id', 'int'), column('ips', 'inet[]'), column('names', 'text[]'), column('doc', 'json')],
  },
  { name: 'watched', columns: [column('address', 'inet'), column('note', 'text')] },
  { name: 'watched_twice', columns: [column('ip_address', 'inet'), column('n', 'int')] },
  { name: 'seen', columns: [column('ip', 'inet'), column('user_name', 'text')] },
];

interface Lookup extends Table {
  readonly key: Column;
}

const ADDRESSES: Lookup = {
  name: 'abuseipdb_check_ip',
  key: column('ip_address', 'inet'),
  columns: [
    column('ip_address', 'inet'),
    column('country_code', 'text'),
    column('abuse_confidence_score', 'int'),
    column('is_tor', 'bool'),
    column('is_public', 'bool'),
  ],
};

const PEOPLE: Lookup = {
  name: 'user_directory',
  key: column('user_name', 'text'),
  columns: [
    column('user_name', 'text'),
    column('manager', 'text'),
    column('department', 'text'),
    column('job_level', 'int'),
    column('home', 'inet'),
  ],
};

/** A table that needs a key. */
export function lookupItem(making: Making): Item {
  const table = making.tape.pick([ADDRESSES, ADDRESSES, PEOPLE]);
  const alias = nameIn(making, 'a');
  const renamed = making.tape.chance(1);
  const need: Need = {
    column: renamed ? 'r0' : table.key.name,
    type: table.key.type === 'inet' ? 'inet' : 'text',
    tables: [table.name],
  };
  const columns = renamed
    ? table.columns.map((each, index) => (index < 2 ? { ...each, name: `r${String(index)}` } : each))
    : table.columns;
  if (renamed && table.name === 'abuseipdb_check_ip') {
    // Its second column is none that is listed here.
    const named = table.columns.map((each, index) => (index === 0 ? { ...each, name: 'r0' } : each));
    return { ...piece(`${table.name} as ${alias}(r0)`), local: false, alias, columns: named, need };
  }
  const text = renamed ? `${table.name} as ${alias}(r0, r1)` : `${table.name} ${alias}`;
  return { ...piece(text), local: false, alias, columns, need };
}

/** Rows that need no key. */
export function sourceItem(making: Making, lateral: Scope): Item {
  const { tape } = making;
  const kind = tape.below(16);
  if (kind < 6) return tableItem(making, EVENTS);
  if (kind < 8) return tableItem(making, FINDINGS);
  if (kind < 12) return tableItem(making, tape.pick(LOCAL));
  if (kind < 13) return valuesItem(making);
  return functionItem(making, lateral);
}

function tableItem(making: Making, table: Table): Item {
  const alias = nameIn(making, 't');
  shape(making, table.name);
  return { ...piece(`${table.name} ${alias}`), alias, columns: table.columns };
}

function valuesItem(making: Making): Item {
  const alias = nameIn(making, 'v');
  shape(making, 'values');
  const columns = [column('n', 'int'), column('ip_address', 'text'), column('user_name', 'text')];
  const rows =
    "(1, '34.1.1.9', 'user1'), (20, 'none', null), (3, null, 'NL'), (0, '34.1.1.1', 'user0'), (1, '34.1.1.9', 'user1')";
  return { ...piece(`(values ${rows}) as ${alias}(n, ip_address, user_name)`), alias, columns };
}

/** Functions that return sets, of constants or of the row to their left. */
function functionItem(making: Making, lateral: Scope): Item {
  const { tape } = making;
  const alias = nameIn(making, 'f');
  const of = (type: Column['type']) => columnsOf([...lateral.items, ...lateral.outer], type);
  const pick = (type: Column['type'], constant: string) => {
    const all = of(type);
    return all.length === 0 || tape.chance(2) ? { text: constant, uses: NOTHING } : tape.pick(all);
  };
  const ordinal = tape.chance(2);
  const make = (call: string, uses: ReadonlySet<Item>, columns: readonly Column[]): Item => {
    const all = ordinal ? [...columns, column('nth', 'int')] : columns;
    const names = all.map(({ name }) => name).join(', ');
    if (ordinal) shape(making, 'with ordinality');
    const text = `${call}${ordinal ? ' with ordinality' : ''} as ${alias}(${names})`;
    return { text, uses, local: true, keys: [], alias, columns: all };
  };
  switch (tape.below(9)) {
    case 0: {
      shape(making, 'unnest');
      const array = pick('inet[]', "array[inet '34.1.1.1', '34.1.1.9', null]");
      return make(`unnest(${array.text})`, array.uses, [column('ip', 'inet')]);
    }
    case 1: {
      shape(making, 'unnest');
      const array = pick('text[]', "array['user1', 'user3', '34.1.1.9', null]");
      return make(`unnest(${array.text})`, array.uses, [column('user_name', 'text')]);
    }
    case 2: {
      shape(making, 'jsonb_array_elements');
      const all = of('json');
      const doc = all.length === 0 ? undefined : tape.pick(all);
      const name = doc?.text.endsWith('.doc') === true ? 'list' : 'ips';
      const list = doc === undefined ? `jsonb '["34.1.1.1", "x", null]'` : `${doc.text} -> '${name}'`;
      return make(`jsonb_array_elements_text(${list})`, doc?.uses ?? NOTHING, [column('ip', 'text')]);
    }
    case 3:
      shape(making, 'generate_series');
      return make('generate_series(0, 3)', NOTHING, [column('n', 'int')]);
    case 4: {
      shape(making, 'regexp_matches');
      const text = pick('text', "'34.1.1.1 and 34.1.1.9'");
      return make(`regexp_matches(${text.text}, '[0-9.]{8,}', 'g')`, text.uses, [column('found', 'text[]')]);
    }
    case 6: {
      shape(making, 'lateral values');
      const all = [...of('inet'), ...of('inet')];
      const [one, two] = all.length === 0 ? [] : [tape.pick(all), tape.pick(all)];
      const uses = new Set([...(one?.uses ?? []), ...(two?.uses ?? [])]);
      const text = `${uses.size > 0 ? 'lateral ' : ''}(values (${one?.text ?? "inet '34.1.1.9'"}), (${two?.text ?? 'null'})) as ${alias}(ip)`;
      return { text, uses, local: true, keys: [], alias, columns: [column('ip', 'inet')] };
    }
    case 7: {
      shape(making, 'list of columns');
      const list = `[{"ip": "34.1.1.1", "who": "user3"}, {"ip": null}, {"ip": "34.1.1.200", "who": "none"}]`;
      const columns = [column('ip', 'text'), column('who', 'text')];
      return {
        text: `jsonb_to_recordset('${list}') as ${alias}(ip text, who text)`,
        uses: NOTHING,
        local: true,
        keys: [],
        alias,
        columns,
      };
    }
    case 8: {
      shape(making, 'rows from');
      const text = `rows from (unnest(array[inet '34.1.1.3', null]), generate_series(0, 2)) as ${alias}(ip, n)`;
      return { text, uses: NOTHING, local: true, keys: [], alias, columns: [column('ip', 'inet'), column('n', 'int')] };
    }
    default: {
      shape(making, 'string_to_table');
      return make("string_to_table('user0,user4,34.1.1.3', ',')", NOTHING, [column('user_name', 'text')]);
    }
  }
}
