import { readAddress, type TrailRecord } from './records.ts';

/** Conditions over events, written from what records hold; the same seed gives the same ones. */
export function generatedPredicates(records: readonly TrailRecord[], count: number, seed: number): readonly string[] {
  const generator = new Generator(records, seed);
  return Array.from({ length: count }, () => generator.condition(3));
}

const TEXTS: Readonly<Record<string, string>> = {
  event_id: 'eventID',
  event_name: 'eventName',
  event_source: 'eventSource',
  event_type: 'eventType',
  event_category: 'eventCategory',
  event_version: 'eventVersion',
  aws_region: 'awsRegion',
  error_code: 'errorCode',
  error_message: 'errorMessage',
  request_id: 'requestID',
  recipient_account_id: 'recipientAccountId',
  user_agent: 'userAgent',
  vpc_endpoint_id: 'vpcEndpointId',
  source_ip_address: 'sourceIPAddress',
  access_key_id: 'userIdentity.accessKeyId',
  user_type: 'userIdentity.type',
  username: 'userIdentity.userName',
  user_arn: 'userIdentity.arn',
  principal_id: 'userIdentity.principalId',
  user_account_id: 'userIdentity.accountId',
  invoked_by: 'userIdentity.invokedBy',
  session_issuer_arn: 'userIdentity.sessionContext.sessionIssuer.arn',
  session_issuer_name: 'userIdentity.sessionContext.sessionIssuer.userName',
};
const BOOLEANS = ['read_only', 'management_event', 'mfa_authenticated'];
const OBJECTS: Readonly<Record<string, string>> = {
  user_identity: 'userIdentity',
  request_parameters: 'requestParameters',
  response_elements: 'responseElements',
  additional_event_data: 'additionalEventData',
  resources: 'resources',
  tls_details: 'tlsDetails',
  service_event_details: 'serviceEventDetails',
};

type Step = string | number;

interface Place {
  readonly column: string;
  readonly steps: readonly Step[];
  readonly text: string;
}

class Generator {
  readonly #records: readonly TrailRecord[];
  readonly #texts: ReadonlyMap<string, readonly string[]>;
  readonly #places: readonly Place[];
  #state: number;

  constructor(records: readonly TrailRecord[], seed: number) {
    this.#records = records;
    this.#state = seed;
    this.#texts = new Map(
      Object.entries(TEXTS).map(([column, path]) => {
        const values = records
          .map((record) => at(record, path.split('.')))
          .flatMap((value) => (value === null || value === undefined ? [] : [textOf(value)]));
        return [column, [...new Set(values), 'nobody', '']];
      }),
    );
    const places = new Map<string, Place>();
    for (const record of records) {
      for (const [column, field] of [...Object.entries(OBJECTS), ['cloudtrail_event', ''] as const]) {
        const value = field === '' ? record : record[field];
        for (const place of scalars(value)) {
          const key = JSON.stringify([column, place.steps, place.text.slice(0, 40)]);
          if (!places.has(key) && places.size < 200_000) places.set(key, { column, ...place });
        }
      }
    }
    this.#places = [...places.values()];
  }

  condition(depth: number): string {
    const kind = this.#below(depth === 0 ? 6 : 12);
    if (kind < 6) return this.#leaf();
    const operands = Array.from({ length: 2 + this.#below(3) }, () => this.condition(depth - 1));
    if (kind < 8) return `(${operands.join(' and ')})`;
    if (kind < 11) return `(${operands.join(' or ')})`;
    return `not (${operands.join(this.#below(2) === 0 ? ' and ' : ' or ')})`;
  }

  #leaf(): string {
    switch (this.#below(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return this.#text();
      case 4:
        return this.#boolean();
      case 5:
        return this.#address();
      case 6:
        return this.#time();
      case 7:
      case 8:
        return this.#json();
      default:
        return this.#pick(['null', 'true', '1 = 1', `'a' = 'b'`, this.#text()]);
    }
  }

  #text(): string {
    const column = this.#pick(Object.keys(TEXTS));
    const value = this.#pick(this.#texts.get(column) ?? ['']);
    const list = (most: number) =>
      Array.from({ length: 1 + this.#below(most) }, () => literal(this.#pick(this.#texts.get(column) ?? ['']))).join(
        ', ',
      );
    const forms = [
      () => `${column} = ${literal(value)}`,
      () => `${column} <> ${literal(value)}`,
      () => `${column} in (${list(4)})`,
      () => `${column} in (${list(40)})`,
      () => `${column} not in (${list(3)})`,
      () => `${column} = any(array[${list(3)}])`,
      () => `${column} like ${literal(this.#like(value))}`,
      () => `${column} not like ${literal(this.#like(value))}`,
      () => `${column} ilike ${literal(otherCase(this.#like(value)))}`,
      () => `${column} not ilike ${literal(this.#like(value))}`,
      () => `${column} ${this.#pick(['~', '~*'])} ${literal(this.#regex(column))}`,
      () => `${column} ilike any (array[${list(10)}])`,
      () => `${column} is null`,
      () => `${column} is distinct from ${literal(value)}`,
      () => `${column} <> all (array[${list(3)}])`,
      () => `(${column} ${this.#pick(['=', '<>'])} ${literal(value)}) is not ${this.#pick(['true', 'false'])}`,
      () => `${column} is not null`,
      () => `${literal(value)} = ${column}`,
      () => `lower(${column}) = lower(${literal(value)})`,
    ];
    return this.#pick(forms)();
  }

  /** Prefix, suffix, infix and what is none of them. */
  #like(value: string): string {
    const from = this.#below(value.length + 1);
    const to = from + this.#below(value.length - from + 1);
    const escaped = (text: string) => text.replace(/[\\%_]/g, '\\$&');
    return this.#pick([
      `${escaped(value.slice(0, to))}%`,
      `%${escaped(value.slice(from))}`,
      `%${escaped(value.slice(from, to))}%`,
      `${escaped(value.slice(0, from))}%${escaped(value.slice(to))}`,
      `${escaped(value.slice(0, from))}_${escaped(value.slice(from + 1))}`,
      escaped(value),
      value,
    ]).replace(/(?<!\\)(?:\\\\)*\\$/, '');
  }

  /** Of pieces of two values, either of which will do, or both. */
  #regex(column: string): string {
    const piece = () => {
      const value = this.#pick(this.#texts.get(column) ?? ['']);
      const from = this.#below(value.length);
      return (value.slice(from, from + 1 + this.#below(20)) || 'x').replace(/[^\p{L}\p{N}_]/gu, '\\$&');
    };
    return this.#pick([
      () => `^${piece()}`,
      () => `${piece()}$`,
      () => `(${piece()}|${piece()})`,
      () => `(?i)${piece()}.*`,
      () => `${piece()}?|^${piece()}+`,
    ])();
  }

  #piece(text: string): string {
    const from = this.#below(text.length);
    return text.slice(from, from + 3 + this.#below(20)).replace(/[\\%_]/g, '\\$&');
  }

  #boolean(): string {
    const column = this.#pick(BOOLEANS);
    return this.#pick([column, `not ${column}`, `${column} is true`, `${column} is false`, `${column} = 'f'`]);
  }

  #address(): string {
    const known = (this.#texts.get('source_ip_address') ?? []).filter((text) => readAddress(text) !== undefined);
    const one = () => `${literal(this.#pick(known))}::inet`;
    if (known.length === 0) return 'true';
    return this.#pick([() => `source_ip = ${one()}`, () => `source_ip in (${one()}, ${one()}, ${one()})`])();
  }

  #time(): string {
    const times = this.#records
      .map(({ eventTime }) => eventTime)
      .filter((time) => /^[\d-]+T[\d:.]+Z$/.test(time ?? ''));
    const time = literal(this.#pick(times) ?? '');
    return `event_time ${this.#pick(['>', '>=', '<', '<='])} ${time}`;
  }

  #json(): string {
    const { column, steps, text } = this.#pick(this.#places);
    const step = (value: Step) => (typeof value === 'number' ? String(value) : literal(value));
    const arrows = steps.map((each, index) => `${index === steps.length - 1 ? '->>' : '->'} ${step(each)}`).join(' ');
    const names = steps.map(String);
    const isPlain = names.every((name) => /^[\w-]+$/.test(name));
    const mention = isPlain && this.#below(3) === 0 ? `${column} #>> '{${names.join(',')}}'` : `${column} ${arrows}`;
    const value = text.slice(0, 200);
    return this.#pick([
      `(${mention}) = ${literal(value)}`,
      `(${mention}) in (${literal(value)}, 'other')`,
      `(${mention}) like ${literal(this.#like(value))}`,
      `(${mention}) <> ${literal(value)}`,
      `(${mention}) is not null`,
      `(${mention}) not like ${literal(this.#like(value))}`,
      `(${mention}) ilike ${literal(otherCase(this.#like(value)))}`,
      `${column}::text ${this.#pick(['like', 'ilike', 'not like'])} ${literal(`%${this.#piece(this.#pick([value, ...names]))}%`)}`,
      `${column}::text ${this.#pick(['like', '='])} ${literal(this.#like(value))}`,
      `${column} @> ${literal(JSON.stringify(holding(steps, this.#pick([text, 404, true, 'other', null, {}]))))}`,
    ]);
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#below(values.length)] as T;
  }

  /** mulberry32 */
  #below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end) | 0;
  }
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''").replaceAll('\0', '\uFFFD')}'`;
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[name] : undefined,
    value,
  );
}

/** Places of texts, numbers, booleans, and of what holds them. */
function scalars(value: unknown, steps: readonly Step[] = []): { steps: readonly Step[]; text: string }[] {
  if (value === null || value === undefined || steps.length > 5) return [];
  const own = steps.length === 0 ? [] : [{ steps, text: textOf(value) }];
  if (typeof value !== 'object') return own;
  const members: [Step, unknown][] = Array.isArray(value) ? [...value.slice(0, 2).entries()] : Object.entries(value);
  return [...own, ...members.flatMap(([step, member]) => scalars(member, [...steps, step]))];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The value at a place of otherwise empty objects and arrays. */
function holding(steps: readonly Step[], value: unknown): unknown {
  return steps.reduceRight((inner, step) => (typeof step === 'number' ? [inner] : { [step]: inner }), value);
}

function otherCase(text: string): string {
  return text.replace(/[A-Za-z]/g, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()));
}
