import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCatalog } from '../../src/catalog/load.ts';
import type { Catalog, Column } from '../../src/catalog/table.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/open.ts';
import { setUpSchema } from '../../src/engine/schema.ts';
import { removeTemporaryDirectories, temporaryDirectory } from './support/temporary-directory.ts';

let engine: Engine;
let catalog: Catalog;

beforeAll(async () => {
  engine = await openEngine({
    dataDir: await temporaryDirectory(),
    database: 'trailhound',
    maxClients: 5,
    poolSize: 2,
  });
  await setUpSchema(engine, { password: 'x' });
  catalog = await loadCatalog(engine.pool);
});
afterAll(async () => {
  await engine.close();
  await removeTemporaryDirectories();
});

const table = (name: string) => {
  const found = catalog.tables.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no table ${name}`);
  return found;
};
const column = (name: string, of: string): Column => {
  const found = table(of).columns.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no column ${name} in ${of}`);
  return found;
};

describe('the catalog', () => {
  it('has each table with its source, kind and time to live', () => {
    expect(catalog.tables.map(({ name, source, kind, ttlMs }) => [name, source, kind, ttlMs])).toEqual([
      ['abuseipdb_blacklist', 'abuseipdb_blacklist', 'scan', 21_600_000],
      ['abuseipdb_category', 'abuseipdb_category', 'scan', 0],
      ['abuseipdb_check_cidr', 'abuseipdb_check_block', 'lookup', 86_400_000],
      ['abuseipdb_check_ip', 'abuseipdb_check', 'lookup', 86_400_000],
      ['abuseipdb_report', 'abuseipdb_reports', 'lookup', 86_400_000],
      ['cloudtrail_file_event', 'files', 'scan', 0],
      ['cloudtrail_lookup_event', 'cloudtrail_lookup', 'scan', 300_000],
      ['cloudtrail_trail', 'cloudtrail_trail', 'scan', 300_000],
      ['cloudtrail_trail_event', 'cloudwatch_logs', 'scan', 300_000],
      ['guardduty_detector', 'guardduty_detector', 'scan', 300_000],
      ['guardduty_finding', 'guardduty_finding', 'scan', 300_000],
    ]);
  });

  it('has what a column declares', () => {
    expect(column('ip_address', 'abuseipdb_check_ip')).toMatchObject({
      attnum: 1,
      type: 'inet',
      typeOid: 869,
      notNull: true,
      key: 'required',
      operators: ['='],
      path: '@ip_address',
    });
    expect(column('max_age_in_days', 'abuseipdb_check_ip')).toMatchObject({ key: 'input', defaultValue: '90' });
    expect(column('username', 'cloudtrail_trail_event')).toMatchObject({
      key: 'optional',
      operators: ['=', '<>', 'like', 'ilike', 'is null', 'is not null'],
      path: 'userIdentity.userName',
      expression: undefined,
      defaultValue: undefined,
    });
    expect(column('timestamp', 'cloudtrail_trail_event')).toMatchObject({ type: 'timestamp with time zone' });
    expect(column('bucket_names', 'guardduty_finding')).toMatchObject({
      type: 'text[]',
      operators: [],
      key: undefined,
    });
  });

  it('has views for users and for Steampipe’s users over each table', () => {
    expect(catalog.views.map((view) => [`${view.schema}.${view.name}`, view.table.name])).toEqual([
      ['public.abuseipdb_blacklist', 'abuseipdb_blacklist'],
      ['public.abuseipdb_category', 'abuseipdb_category'],
      ['public.abuseipdb_check_cidr', 'abuseipdb_check_cidr'],
      ['public.abuseipdb_check_ip', 'abuseipdb_check_ip'],
      ['public.abuseipdb_report', 'abuseipdb_report'],
      ['public.cloudtrail_file_event', 'cloudtrail_file_event'],
      ['public.cloudtrail_lookup_event', 'cloudtrail_lookup_event'],
      ['public.cloudtrail_trail', 'cloudtrail_trail'],
      ['public.cloudtrail_trail_event', 'cloudtrail_trail_event'],
      ['public.guardduty_detector', 'guardduty_detector'],
      ['public.guardduty_finding', 'guardduty_finding'],
      ['steampipe.abuseipdb_check_cidr', 'abuseipdb_check_cidr'],
      ['steampipe.abuseipdb_check_ip', 'abuseipdb_check_ip'],
      ['steampipe.abuseipdb_deny', 'abuseipdb_blacklist'],
      ['steampipe.aws_cloudtrail_lookup_event', 'cloudtrail_lookup_event'],
      ['steampipe.aws_cloudtrail_trail_event', 'cloudtrail_trail_event'],
      ['steampipe.aws_guardduty_detector', 'guardduty_detector'],
      ['steampipe.aws_guardduty_finding', 'guardduty_finding'],
    ]);
  });

  it('finds tables and views by oid', () => {
    for (const view of catalog.views) expect(catalog.viewByOid(view.oid)).toBe(view);
    for (const one of catalog.tables) expect(catalog.tableByOid(one.oid)).toBe(one);
    expect(catalog.viewByOid(1259)).toBeUndefined();
  });

  it('knows which columns a view passes through, under which name', () => {
    for (const view of catalog.views.filter(({ schema }) => schema === 'public')) {
      expect(view.columns.map((one) => one.column)).toEqual(view.table.columns);
    }
    const findings = catalog.views.find(({ name }) => name === 'aws_guardduty_finding');
    const passed = Object.fromEntries(findings?.columns.map((one) => [one.name, one.column?.name]) ?? []);
    expect(passed).toMatchObject({
      name: 'title',
      title: 'title',
      severity: 'severity',
      sp_connection_name: 'connection_name',
    });
    expect(passed).toMatchObject({ akas: undefined, _ctx: undefined });
  });

  it('has views with just one reference, to their table', () => {
    for (const view of catalog.views) {
      expect(view.definition.split('source.')).toHaveLength(2);
      expect(view.definition).toContain(`FROM source.${view.table.name};`);
    }
  });

  it('does not take a user’s view for one of its own', async () => {
    await engine.pool.query(`create view public.mine as select * from public.guardduty_finding;
      alter view public.mine owner to trailhound;
      create view public.both as select d.arn from source.guardduty_detector d, source.guardduty_finding f`);
    const again = await loadCatalog(engine.pool);
    await engine.pool.query('drop view public.mine, public.both');
    expect(again.views.map((view) => view.name)).toEqual(catalog.views.map((view) => view.name));
  });

  it('gives every column either a path or an expression, and a comment everywhere', () => {
    for (const one of catalog.tables) {
      expect(one.comment).not.toBe('');
      for (const each of one.columns) {
        expect(
          [each.path, each.expression].filter((found) => found !== undefined),
          `${one.name}.${each.name}`,
        ).toHaveLength(1);
        expect(each.comment, `${one.name}.${each.name}`).not.toBe('');
      }
    }
  });

  it('shows the comments on the views, too', async () => {
    const { rows } = await engine.pool.query(
      `select c.oid::regclass::text || coalesce('.' || a.attname, '') as bare
       from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum >= 0
       where c.relkind = 'v' and c.relnamespace in ('public'::regnamespace, 'steampipe'::regnamespace)
         and col_description(c.oid, a.attnum) is null`,
    );
    expect(rows).toEqual([]);
    const { rows: comments } = await engine.pool.query(
      `select obj_description('public.guardduty_finding'::regclass, 'pg_class') as comment`,
    );
    expect(comments).toEqual([{ comment: table('guardduty_finding').comment }]);
  });

  it('ends every AWS table with where it was read', () => {
    for (const one of catalog.tables.filter(({ name }) => !name.startsWith('abuseipdb'))) {
      expect(one.columns.slice(-4).map(({ name }) => name)).toEqual([
        'partition',
        'region',
        'account_id',
        'connection_name',
      ]);
    }
  });

  it('keeps tables made by SQL, and what users made on them, when the schema is set up anew', async () => {
    await engine.pool.query("insert into trailhound.http_host values ('made', 'api.example.com', false)");
    await engine.pool.query(`select trailhound.create_lookup('made', 'https://api.example.com/{k}?days={days}',
      '[{"name": "k", "type": "text", "key": true}, {"name": "days", "type": "integer", "default": "7"},
        {"name": "v", "type": "text[]", "path": "$.v[0]", "comment": "It''s"}]', 'made', ttl => '2 hours')`);
    await engine.pool.query('create view workspace.mine as select v from public.made');
    await engine.pool.query('delete from trailhound.installation');
    await setUpSchema(engine, { password: 'x' });
    const { tables, views } = await loadCatalog(engine.pool);
    expect(tables.find(({ name }) => name === 'made')).toMatchObject({ kind: 'lookup', ttlMs: 7_200_000 });
    expect(
      views
        .find(({ name }) => name === 'made')
        ?.columns.map(({ name, type, column: of }) => [name, type, of?.key, of?.comment]),
    ).toEqual([
      ['k', 'text', 'required', 'The value that was asked for'],
      ['days', 'integer', 'input', 'Asked for as well'],
      ['v', 'text[]', undefined, "It's"],
    ]);
    const { rows } = await engine.pool
      .query(`select has_table_privilege('trailhound_reader', 'public.made', 'select') as reads,
      has_table_privilege('trailhound', 'public.made', 'select with grant option') as grants,
      (select count(*)::int from pg_depend where refobjid = 'public.made'::regclass and deptype = 'n') as views`);
    expect(rows).toEqual([{ reads: true, grants: true, views: 1 }]);
    await engine.pool.query(
      "drop view workspace.mine; select trailhound.drop_lookup('made'); delete from trailhound.http_host",
    );
    expect((await loadCatalog(engine.pool)).tables).toHaveLength(catalog.tables.length);
  });

  it('computes from sibling columns what is not in the record', async () => {
    const compute = async (of: string, name: string, row: Readonly<Record<string, string>>): Promise<unknown> => {
      const siblings = table(of).columns.filter((one) => one.expression === undefined);
      const values = siblings
        .map((one) => `$1::json ->> '${one.name}'`)
        .map((text, index) => `(${text})::${siblings[index]?.type ?? ''} as "${siblings[index]?.name ?? ''}"`);
      const { rows } = await engine.pool.query<{ value: string | null }>(
        `select (${column(name, of).expression ?? ''})::text as value from (select ${values.join(', ')}) record`,
        [JSON.stringify(row)],
      );
      return rows[0]?.value;
    };
    expect(await compute('cloudtrail_trail_event', 'source_ip', { source_ip_address: '075.050.255.67' })).toBe(
      '75.50.255.67/32',
    );
    expect(await compute('cloudtrail_trail_event', 'source_ip', { source_ip_address: 'AWS Internal' })).toBeNull();
    expect(
      await compute('cloudtrail_trail_event', 'user_identifier', { principal_id: 'p', session_issuer_arn: 's' }),
    ).toBe('s');
    expect(await compute('cloudtrail_trail_event', 'user_identifier', { user_arn: 'a', session_issuer_arn: 's' })).toBe(
      'a',
    );
    expect(await compute('cloudtrail_trail_event', 'user_identifier', { principal_id: 'p' })).toBe('p');
    const labels = ['3.9', '4', '6.9', '7', '8.9', '9'].map((severity) =>
      compute('guardduty_finding', 'severity_label', { severity }),
    );
    expect(await Promise.all(labels)).toEqual(['LOW', 'MEDIUM', 'MEDIUM', 'HIGH', 'HIGH', 'CRITICAL']);
    expect(await compute('guardduty_finding', 'severity_label', {})).toBeNull();
  });
});
