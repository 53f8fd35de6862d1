import type { Column, VirtualTable } from '../../../src/catalog/table.ts';

type ColumnOptions = Partial<Pick<Column, 'key' | 'operators' | 'defaultValue'>>;

export function column(name: string, type: string, path: string, options: ColumnOptions = {}): Column {
  return { name, attnum: 1, type, typeOid: 0, notNull: false, path, operators: [], comment: '', ...options };
}

export function table(kind: VirtualTable['kind'], columns: readonly Column[], ttlMs = 0): VirtualTable {
  const numbered = columns.map((one, index) => ({ ...one, attnum: index + 1 }));
  const name = kind === 'scan' ? 'fake_event' : 'fake_reputation';
  return { schema: 'source', name, oid: 1, source: `fake_${kind}`, kind, ttlMs, columns: numbered, comment: '' };
}

/** One call an address, as reputation services are; answers are good for a day. */
export const reputation = table(
  'lookup',
  [
    column('ip', 'inet', '@ip', { key: 'required', operators: ['='] }),
    column('max_age_in_days', 'integer', '@max_age_in_days', { key: 'input', operators: ['='], defaultValue: '90' }),
    column('score', 'integer', 'score'),
    column('reports', 'jsonb', 'reports'),
    column('fetched_at', 'timestamp with time zone', '@fetched_at'),
  ],
  86_400_000,
);

export const events = table('scan', [
  column('n', 'bigint', 'n'),
  column('agent', 'text', 'agent'),
  column('at', 'timestamp with time zone', '@timestamp'),
  column('addresses', 'inet[]', 'addresses'),
  column('request', 'jsonb', 'request'),
]);

export function columnsOf(of: VirtualTable, ...names: readonly string[]): Column[] {
  return names.map((name) => {
    const found = of.columns.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no column ${name}`);
    return found;
  });
}
