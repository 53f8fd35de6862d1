/** Statements over the tables of the incident, made of numbers: 0 everywhere is the simplest one. */

type Type = 'inet' | 'text' | 'int' | 'bool';

interface Column {
  readonly name: string;
  readonly type: Type;
}

interface Item {
  readonly alias: string;
  readonly columns: readonly Column[];
  /** Rows of it need a key. */
  readonly looked?: boolean;
}

interface Visible {
  readonly items: readonly Item[];
  /** Items of enclosing levels, nearest first. */
  readonly outer: readonly Item[];
  /** Bare names that USING has merged. */
  readonly merged: readonly Column[];
}

interface Query {
  readonly text: string;
  readonly columns: readonly Column[];
}

const column = (name: string, type: Type): Column => ({ name, type });

const TABLES: readonly { readonly name: string; readonly columns: readonly Column[] }[] = [
  {
    name: 'cloudtrail_trail_event',
    columns: [
      column('source_ip', 'inet'),
      column('source_ip_address', 'text'),
      column('event_id', 'text'),
      column('event_name', 'text'),
      column('username', 'text'),
      column('error_code', 'text'),
    ],
  },
  {
    name: 'abuseipdb_check_ip',
    columns: [
      column('ip_address', 'inet'),
      column('country_code', 'text'),
      column('abuse_confidence_score', 'int'),
      column('is_tor', 'bool'),
      column('is_public', 'bool'),
    ],
  },
  { name: 'watchlist', columns: [column('address', 'inet'), column('note', 'text')] },
  {
    name: 'guardduty_finding',
    columns: [column('remote_ip', 'inet'), column('id', 'text'), column('type', 'text')],
  },
];

const LOOKUP = 'abuseipdb_check_ip';

const LITERALS: Readonly<Record<Type, readonly string[]>> = {
  inet: ["inet '34.1.1.1'", "inet '34.1.1.9'", "inet '10.0.0.1'", 'null::inet', "inet '34.1.1.0/24'"],
  text: ["'CreateUser'", "'user1'", "'34.1.1.2'", "'known'", "'NL'", 'null::text'],
  int: ['1', '20', '0', 'null::int'],
  bool: ['true', 'false', 'null::boolean'],
};

export function freeStatement(numbers: readonly number[]): string {
  return new Maker(numbers).statement();
}

class Maker {
  readonly #numbers: readonly number[];
  #next = 0;
  #aliases = 0;
  #ctes: Item[] = [];

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  statement(): string {
    const withClause: string[] = [];
    const count = this.#chance(4) ? 1 + this.#below(3) : 0;
    for (let index = 0; index < count; index += 1) {
      const query = this.#query([], 1);
      const name = `k${String(index)}`;
      const how = this.#pick(['', 'materialized ', 'not materialized ']);
      withClause.push(`${name}(${query.columns.map((each) => each.name).join(', ')}) as ${how}(${query.text})`);
      this.#ctes.push({ alias: name, columns: query.columns });
    }
    const { text } = this.#query([], 0);
    return withClause.length === 0 ? text : `with ${withClause.join(', ')} ${text}`;
  }

  /** @param wanted the types of its columns; any where undefined */
  #query(outer: readonly Item[], depth: number, wanted?: readonly Type[]): Query {
    if (depth < 3 && this.#chance(1)) {
      const left = this.#select(outer, depth + 1, wanted);
      const types = left.columns.map(({ type }) => type);
      const right = this.#select(outer, depth + 1, types);
      const operator = this.#pick(['union', 'union all', 'intersect', 'except', 'except all']);
      return { text: `(${left.text}) ${operator} (${right.text})`, columns: left.columns };
    }
    return this.#select(outer, depth, wanted);
  }

  #select(outer: readonly Item[], depth: number, wanted?: readonly Type[]): Query {
    const { text: from, visible, unbounded } = this.#from(outer, depth);
    const conditions = Array.from({ length: this.#below(3) }, () => this.#condition(visible, depth));
    const looked = visible.items.length === 1 ? (withKey(visible.items) ?? []) : unbounded;
    for (const item of this.#chance(1) ? [] : looked) {
      conditions.push(
        visible.outer.length > 0 || visible.items.length > 1
          ? this.#equality(visible, [item])
          : `${item.alias}.${item.columns[0]?.name ?? ''} in ('34.1.1.1', '34.1.1.3', '10.0.0.1')`,
      );
    }
    const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
    const types =
      wanted ?? Array.from({ length: 1 + this.#below(3) }, () => this.#pick<Type>(['inet', 'text', 'int', 'bool']));
    if (this.#chance(2)) return this.#grouped(from, where, types, visible);
    if (wanted === undefined && this.#chance(1) && depth > 0) {
      const item = this.#pick(visible.items);
      return { text: `select ${item.alias}.* from ${from}${where}`, columns: item.columns.map((each) => each) };
    }
    const outputs = types.map((type) => this.#output(type, visible, depth));
    const columns = this.#named(types);
    const targets = outputs.map((output, index) => `${output} as ${columns[index]?.name ?? ''}`);
    const first = columns[0]?.name ?? '';
    const distinct = this.#pick(['', '', '', '', '', '', 'distinct ', '']);
    if (this.#below(20) === 19) {
      const order = columns.map((_column, index) => String(index + 1)).join(', ');
      return {
        text: `select distinct on (${first}) * from (select ${targets.join(', ')} from ${from}${where}) _ order by ${order}`,
        columns,
      };
    }
    const text = `select ${distinct}${targets.join(', ')} from ${from}${where}`;
    // Ordered by every column, ties are equal rows: LIMIT has one answer.
    const limited = this.#chance(depth > 0 ? 2 : 1);
    const order = columns.map((_column, index) => `${String(index + 1)}${this.#pick(['', ' desc'])}`).join(', ');
    const limit = limited ? ` order by ${order} limit ${String(this.#below(5))}` : '';
    return { text: `${text}${limit}`, columns };
  }

  #grouped(from: string, where: string, types: readonly Type[], visible: Visible): Query {
    const columns = this.#named(types);
    const grouped: string[] = [];
    const targets = types.map((type) => {
      if (this.#chance(5)) {
        const value = this.#value(type, visible);
        grouped.push(value);
        return value;
      }
      const value = this.#value(type, visible);
      if (type === 'int') return 'count(*)::int';
      return `${type === 'bool' ? 'bool_or' : this.#pick(['max', 'min'])}(${value})`;
    });
    const groupBy = grouped.length === 0 ? '' : ` group by ${grouped.join(', ')}`;
    const having = this.#chance(2) ? ` having count(*) > ${String(this.#below(2))}` : '';
    const list = targets.map((target, index) => `${target} as ${columns[index]?.name ?? ''}`).join(', ');
    return { text: `select ${list} from ${from}${where}${groupBy}${having}`, columns };
  }

  #named(types: readonly Type[]): Column[] {
    this.#aliases += 1;
    return types.map((type, index) => column(`c${String(this.#aliases)}_${String(index)}`, type));
  }

  #output(type: Type, visible: Visible, depth: number): string {
    if (type === 'int' && this.#chance(1)) {
      const value = this.#value('text', visible);
      return `(${this.#pick(['count(*)', 'rank()'])} over (partition by ${this.#value('inet', visible)} order by ${value}))::int`;
    }
    if (type === 'bool' && depth < 2 && this.#chance(3)) return `(${this.#condition(visible, depth)})`;
    if (type === 'text' && depth < 2 && this.#chance(2)) return this.#scalar(visible, depth);
    return this.#value(type, visible);
  }

  #scalar(visible: Visible, depth: number): string {
    const inner = this.#from(inside(visible), depth + 1);
    const condition = this.#equality(inner.visible);
    return `(select max(${this.#value('text', { ...inner.visible, outer: [] })}) from ${inner.text} where ${condition})`;
  }

  #from(outer: readonly Item[], depth: number): { text: string; visible: Visible; unbounded: readonly Item[] } {
    const size = 1 + this.#pick([1, 0, 1, 2, 0, 3]);
    const left = this.#item(outer, [], depth);
    let items: readonly Item[] = [left.item];
    let text = left.text;
    let merged: Column[] = [];
    let commas = '';
    const unbounded: Item[] = [];
    for (let index = 1; index < size; index += 1) {
      const lateral = items;
      const right = this.#item(outer, lateral, depth);
      let rightItems: readonly Item[] = [right.item];
      let rightText = right.text;
      if (this.#chance(2)) {
        const inner = this.#item(outer, [], depth);
        const innerItems = [...rightItems, inner.item];
        const type = this.#joinType(rightItems, [inner.item]);
        const condition =
          type === 'full join'
            ? this.#hashable(rightItems, [inner.item])
            : this.#on({ items: innerItems, outer, merged: [] }, depth, withKey(innerItems));
        rightText = `(${rightText} ${type} ${inner.text} on ${condition})`;
        if (this.#chance(2)) {
          // The alias of a join hides what stands inside; repeated names would be ambiguous.
          this.#aliases += 1;
          const alias = `j${String(this.#aliases)}`;
          const all = innerItems.flatMap((each) => each.columns);
          const columns = all.filter(({ name }) => all.filter((each) => each.name === name).length === 1);
          rightItems = [{ alias, columns, looked: innerItems.some((each) => each.looked === true) }];
          rightText = `${rightText} as ${alias}`;
        } else rightItems = innerItems;
      }
      const all = [...items, ...rightItems];
      const shape = this.#below(12);
      const shared = this.#shared(items, rightItems);
      if (shape === 10 && commas === '') {
        commas = `${text}, `;
        text = rightText;
        unbounded.push(...(withKey(all) ?? []));
      } else if (shape === 11) {
        text = `${text} cross join ${rightText}`;
        unbounded.push(...(withKey(all) ?? []));
      } else if (shape >= 7 && shared !== undefined) {
        text = this.#chance(3)
          ? `${text} natural ${this.#joinType(items, rightItems)} ${rightText}`
          : `${text} ${this.#joinType(items, rightItems)} ${rightText} using (${shared.name})`;
        merged = [...merged, shared];
      } else {
        // After a comma, only what stands behind it can be named in ON: the statement is thrown away where it is not.
        const type = this.#joinType(items, rightItems);
        const condition =
          type === 'full join'
            ? this.#hashable(items, rightItems)
            : this.#on({ items: all, outer, merged }, depth, withKey(rightItems) ?? withKey(items));
        text = `${text} ${type} ${rightText} on ${condition}`;
      }
      items = all;
    }
    return { text: `${commas}${text}`, visible: { items, outer, merged }, unbounded };
  }

  /** A column that each side has once. */
  #shared(left: readonly Item[], right: readonly Item[]): Column | undefined {
    const of = (items: readonly Item[]): Column[] => items.flatMap((item) => item.columns);
    return of(left).find(
      ({ name, type }) =>
        of(left).filter((each) => each.name === name).length === 1 &&
        of(right).filter((each) => each.name === name && each.type === type).length === 1,
    );
  }

  /** FULL JOIN takes nothing else. */
  #hashable(left: readonly Item[], right: readonly Item[]): string {
    const addresses = (items: readonly Item[]): string[] =>
      items.flatMap(({ alias, columns }) =>
        columns.flatMap(({ name, type }) => (type === 'inet' ? [`${alias}.${name}`] : [])),
      );
    const [one, two] = [addresses(left), addresses(right)];
    return one.length === 0 || two.length === 0 ? 'true' : `${this.#pick(one)} = ${this.#pick(two)}`;
  }

  /** Mostly one that leaves a look-up's rows out where nothing asks for them. */
  #joinType(left: readonly Item[], right: readonly Item[]): string {
    if (!this.#chance(1)) {
      const preserved = (items: readonly Item[]): boolean => withKey(items) !== undefined && items.length === 1;
      if (preserved(left) && preserved(right)) return 'join';
      if (preserved(right)) return this.#pick(['join', 'left join']);
      if (preserved(left)) return this.#pick(['join', 'right join']);
    }
    return this.#pick(['join', 'left join', 'join', 'right join', 'full join', 'left join', 'inner join']);
  }

  #on(visible: Visible, depth: number, focus?: readonly Item[]): string {
    const filters = Array.from({ length: this.#pick([0, 0, 1, 2]) }, () => this.#condition(visible, depth));
    const key = this.#chance(1) ? [] : [this.#equality(visible, focus)];
    const all = this.#chance(5) ? [...key, ...filters] : [...filters, ...key];
    return all.length === 0 ? 'true' : all.join(' and ');
  }

  #item(outer: readonly Item[], lateral: readonly Item[], depth: number): { item: Item; text: string } {
    this.#aliases += 1;
    const alias = `t${String(this.#aliases)}`;
    const kind = this.#below(16);
    if (kind >= 13 && this.#ctes.length > 0) {
      const cte = this.#pick(this.#ctes);
      return { item: { alias, columns: cte.columns }, text: `${cte.alias} ${alias}` };
    }
    if (kind === 12) {
      const columns = [column('n', 'int'), column('ip_address', 'text')];
      return {
        item: { alias, columns },
        text: `(values (1, '34.1.1.9'), (20, 'none'), (3, null), (0, '34.1.1.1')) as ${alias}(n, ip_address)`,
      };
    }
    if (kind === 11) {
      const columns = [column('ip_address', 'inet'), column('note', 'text')];
      return { item: { alias, columns }, text: `(select address as ip_address, note from watchlist) ${alias}` };
    }
    if (kind >= 9 && depth < 2) {
      const isLateral = kind === 10 && lateral.length > 0;
      const query = this.#query(isLateral ? [...lateral, ...outer] : outer, depth + 1);
      return {
        item: { alias, columns: query.columns },
        text: `${isLateral ? 'lateral ' : ''}(${query.text}) ${alias}`,
      };
    }
    const table = this.#pick([0, 1, 2, 1, 0, 3].map((index) => TABLES[index]));
    if (table === undefined) throw new Error('no such table');
    const looked = table.name === LOOKUP;
    if (this.#chance(1)) {
      const columns = table.columns.map((each, index) => (index < 2 ? { ...each, name: `r${String(index)}` } : each));
      return { item: { alias, columns, looked }, text: `${table.name} as ${alias}(r0, r1)` };
    }
    return { item: { alias, columns: table.columns, looked }, text: `${table.name} ${alias}` };
  }

  #condition(visible: Visible, depth: number): string {
    const kind = this.#below(20);
    if (kind < 5) return this.#equality(visible);
    if (kind < 11 || depth >= 2) return this.#filter(visible);
    switch (kind) {
      case 11:
        return `(${this.#condition(visible, depth + 1)} or ${this.#condition(visible, depth + 1)})`;
      case 12:
        return `not (${this.#condition(visible, depth + 1)})`;
      case 13:
      case 14:
      case 15: {
        const inner = this.#from(inside(visible), depth + 1);
        const conditions = [this.#equality(inner.visible)];
        if (this.#chance(5)) conditions.push(this.#condition(inner.visible, depth + 1));
        const not = this.#pick(['', 'not ']);
        return `${not}exists (select from ${inner.text} where ${conditions.join(' and ')})`;
      }
      case 16:
      case 17: {
        const row = this.#chance(3);
        const query = this.#query(inside(visible), depth + 1, row ? ['text', 'inet'] : ['inet']);
        const keys = this.#chance(5) ? keysOf(visible.items) : [];
        const address = keys.length > 0 ? this.#pick(keys).text : this.#address(visible);
        return row
          ? `(${this.#value('text', visible)}, ${address}) in (${query.text})`
          : `${address} ${this.#pick(['in', '= any', 'in'])} (${query.text})`;
      }
      case 18: {
        // A table with a required key counts as never empty, which only a subquery of the table itself can show.
        const filter = this.#pick([
          '',
          ' where is_tor',
          ' where abuse_confidence_score > 20',
          ' where country_code is null',
        ]);
        const not = this.#pick(['not in', '<> all']);
        return `${this.#address(visible)} ${not} (select ip_address from ${LOOKUP}${filter})`;
      }
      default:
        return this.#pick(['1 = 1', "now() > '2000-01-01'", '1 <> 1', 'null::boolean']);
    }
  }

  #filter(visible: Visible): string {
    const type = this.#pick<Type>(['text', 'inet', 'int', 'bool']);
    const value = this.#value(type, visible);
    const literal = this.#pick(LITERALS[type]);
    switch (this.#below(type === 'bool' ? 9 : 8)) {
      case 0:
        return `${value} = ${literal}`;
      case 1:
        return `${value} is null`;
      case 2:
        return `${value} is not null`;
      case 3:
        return `${value} <> ${literal}`;
      case 4:
        return `${value} is distinct from ${literal}`;
      case 5:
        return `coalesce(${value}, ${literal}) = ${this.#pick(LITERALS[type])}`;
      case 6:
        return type === 'text' ? `${value} like '34.%'` : `${value} in (${LITERALS[type].slice(0, 2).join(', ')})`;
      case 7:
        return `${value} >= ${this.#pick(LITERALS[type])}`;
      default:
        return this.#pick([value, `not ${value}`, `${value} is not true`]);
    }
  }

  /** Two addresses, one of them a look-up's key where there is one. */
  #equality(visible: Visible, focus: readonly Item[] = visible.items): string {
    const keys = keysOf(focus);
    const key = keys.length > 0 && !this.#chance(2) ? this.#pick(keys) : undefined;
    const left = key?.text ?? this.#address(visible);
    const right = this.#address(
      key === undefined ? visible : { ...visible, items: visible.items.filter((item) => item !== key.item) },
    );
    const [one, two] = this.#chance(3) ? [right, left] : [left, right];
    switch (this.#below(12)) {
      case 10:
        return `${one} is not distinct from ${two}`;
      case 11:
        return `${one} in (${two}, inet '34.1.1.2')`;
      case 9:
        return `(${one}, 1) = (${two}, 1)`;
      case 8:
        return `${one} = any (array[${two}])`;
      default:
        return `${one} = ${two}`;
    }
  }

  #address(visible: Visible): string {
    const own = [...visible.items, ...visible.outer].flatMap((item) =>
      item.columns.flatMap(({ name, type }) =>
        type === 'inet' || ['source_ip_address', 'ip_address', 'r1'].includes(name)
          ? [{ text: `${item.alias}.${name}`, type }]
          : [],
      ),
    );
    const merged = visible.merged.map(({ name, type }) => ({ text: name, type }));
    const all = [...own, ...merged];
    if (all.length === 0) return this.#pick(LITERALS.inet);
    const { text, type } = this.#pick(all);
    switch (this.#below(14)) {
      case 9:
        return type === 'inet' ? `host(${text})` : `host(try_inet(${text}))`;
      case 10:
        return `coalesce(${text}, '34.1.1.9')`;
      case 11:
        return `case when ${this.#filter(visible)} then ${text} end`;
      case 12:
        return type === 'inet' ? `inet(host(${text}))` : `try_inet(${text})`;
      case 13:
        return `nullif(${text}, '34.1.1.1')`;
      default:
        return text;
    }
  }

  #value(type: Type, visible: Visible): string {
    const scope = this.#chance(1) ? [...visible.items, ...visible.outer] : visible.items;
    const isAlone = (name: string): boolean =>
      [...visible.items, ...visible.outer].filter((item) => item.columns.some((each) => each.name === name)).length ===
      1;
    const all = [
      ...scope.flatMap((item) =>
        item.columns.flatMap((each) =>
          each.type === type ? [`${item.alias}.${each.name}`, ...(isAlone(each.name) ? [each.name] : [])] : [],
        ),
      ),
      ...visible.merged.flatMap((each) => (each.type === type ? [each.name] : [])),
    ];
    return all.length === 0 ? this.#pick(LITERALS[type]) : this.#pick(all);
  }

  #below(limit: number): number {
    const number = this.#numbers[this.#next] ?? 0;
    this.#next += 1;
    return number % limit;
  }

  /** True in so many of ten cases; false for 0. */
  #chance(tenths: number): boolean {
    return this.#below(10) >= 10 - tenths;
  }

  #pick<T>(values: readonly T[]): T {
    const value = values[this.#below(values.length)];
    if (value === undefined) throw new Error('nothing to choose from');
    return value;
  }
}

function keysOf(items: readonly Item[]): { readonly item: Item; readonly text: string }[] {
  return items.flatMap((item) =>
    item.columns.flatMap(({ name }) =>
      name === 'ip_address' || name === 'r0' ? [{ item, text: `${item.alias}.${name}` }] : [],
    ),
  );
}

function withKey(items: readonly Item[]): readonly Item[] | undefined {
  const found = items.filter((item) => item.looked === true);
  return found.length === 0 ? undefined : found;
}

function inside(visible: Visible): readonly Item[] {
  return [...visible.items, ...visible.outer];
}
