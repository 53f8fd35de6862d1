/** pg_type's names behind what format_type() prints: those are qualified by pg_catalog, these are not. */
export const PG_TYPES: Readonly<Record<string, string>> = {
  bigint: 'int8',
  boolean: 'bool',
  cidr: 'cidr',
  date: 'date',
  'double precision': 'float8',
  inet: 'inet',
  integer: 'int4',
  interval: 'interval',
  numeric: 'numeric',
  smallint: 'int2',
  text: 'text',
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
};
