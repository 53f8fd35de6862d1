import type { KeyType, Making, Scalar } from './model.ts';
import { shape } from './model.ts';

/** Constants that some row has, that none has, and NULL. */
const LITERALS: Readonly<Record<Scalar, readonly string[]>> = {
  inet: [
    "inet '34.1.1.1'",
    "inet '34.1.1.9'",
    "inet '10.0.0.1'",
    "inet '2600:1f18::7'",
    "inet '34.1.1.0/24'",
    'null::inet',
  ],
  text: ["'CreateUser'", "'user1'", "'34.1.1.2'", "'known'", "'NL'", "'IT'", "''", 'null::text'],
  int: ['1', '20', '3', '0', 'null::int'],
  bool: ['true', 'false', 'null::boolean'],
};

export const KEYS: Readonly<Record<KeyType, readonly string[]>> = {
  inet: [
    '34.1.1.1',
    '34.1.1.9',
    '34.1.1.200',
    '10.0.0.1',
    '034.001.001.003',
    '2600:1f18:0::7',
    '34.1.1.0/24',
    '34.1.1.4/32',
  ],
  text: ['user1', 'user0', 'NL', '34.1.1.2', 'nobody', ''],
};

/** pg_type's oids. */
export const OIDS = { inet: 869, text: 25, int: 23, bool: 16, 'inet[]': 1041, 'text[]': 1009 } as const;

export function literal(making: Making, type: Scalar): string {
  return making.tape.pick(LITERALS[type]);
}

export function quoted(text: string): string {
  return `'${text}'`;
}

/** A parameter with a value in text or, where its binary form is its bytes, in binary. */
export function parameter(making: Making, type: keyof typeof OIDS, text: string | null): string {
  const binary = type === 'text' && making.tape.chance(5);
  const value = text === null ? null : Buffer.from(text);
  making.values.push({ type: OIDS[type], format: binary ? 1 : 0, value });
  shape(making, binary ? 'binary parameter' : 'parameter');
  return `$${String(making.values.length)}`;
}
