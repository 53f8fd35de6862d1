import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dashboards, expandMacros } from '../house/grafana.ts';
import { startDemo, type RunningDemo } from './support/demo.ts';
import { libPq, pgxCached, pgxSimple, type Result } from './support/drivers.ts';

let demo: RunningDemo;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(() => demo.close());

const NOW = Date.now();
const SHOWN = {
  from: new Date(NOW - 7 * 86_400_000).toISOString(),
  to: new Date(NOW).toISOString(),
  interval: '1h',
} as const;

describe.each(dashboards())('%s', (_path, dashboard) => {
  test.each(dashboard.panels)('“$title” shows something, the same to every version of Grafana', async ({ targets }) => {
    for (const { rawSql, format } of targets) {
      const sql = expandMacros(rawSql, SHOWN, dashboard);
      const shown = await demo.ask(pgxSimple, sql);
      expect(shown.rows.length).toBeGreaterThan(0);
      if (format === 'time_series') expectSeries(shown);
      const sorted = ({ rows }: Result) => rows.map((row) => JSON.stringify(row)).sort();
      expect(sorted(await demo.ask(libPq, sql))).toEqual(sorted(shown));
      expect(sorted(await demo.ask(pgxCached, sql, sql))).toEqual(sorted(shown));
    }
  });
});

/** What Grafana refuses to draw otherwise: `time` in order, at most one text that names the series, numbers. */
function expectSeries({ fields, rows }: Result): void {
  expect(fields).toHaveLength(3);
  expect(fields.slice(0, 2)).toEqual(['time', 'metric']);
  const times = rows.map(([time]) => Number(time));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(rows.every(([, , value]) => Number(value) > 0)).toBe(true);
}

test.each(['-- ping', ';'])('its health check %s is answered', async (text) => {
  expect(await demo.ask(pgxSimple, text)).toEqual({ fields: [], rows: [], tag: undefined });
});

test('several statements in one text work, as panels have them', async () => {
  const text = `set search_path = public; set join_collapse_limit = 1; select count(*) > 0 from guardduty_finding`;
  expect((await demo.ask(pgxSimple, text)).rows).toEqual([['t']]);
});

const ON_PATH = `quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
  FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1),
  array_upper(string_to_array(current_setting('search_path'),','),1)) as i,
  string_to_array(current_setting('search_path'),',') s)`;

test('its query builder lists our tables without a schema, and their columns', async () => {
  const version = "SELECT current_setting('server_version_num')::int/100 as version";
  expect((await demo.ask(pgxSimple, version)).rows).toEqual([['1800']]);
  const tables = await demo.ask(
    pgxSimple,
    `SELECT CASE WHEN ${ON_PATH} THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END
     AS "table" FROM information_schema.tables
     WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', 'pg_toast')
     ORDER BY CASE WHEN ${ON_PATH} THEN 0 ELSE 1 END, 1`,
  );
  expect(tables.rows.map(([name]) => name)).toEqual(
    expect.arrayContaining(['abuseipdb_check_ip', 'cloudtrail_trail_event', 'guardduty_finding']),
  );
  const columns = await demo.ask(
    pgxSimple,
    `SELECT quote_ident(column_name) AS "column", data_type AS "type" FROM information_schema.columns
     WHERE CASE WHEN array_length(parse_ident('abuseipdb_check_ip'),1) = 2
     THEN quote_ident(table_schema) = (parse_ident('abuseipdb_check_ip'))[1] AND quote_ident(table_name) = (parse_ident('abuseipdb_check_ip'))[2]
     ELSE quote_ident(table_name) = 'abuseipdb_check_ip' AND ${ON_PATH} END`,
  );
  expect(columns.rows).toContainEqual(['ip_address', 'inet']);
});

test('its newer schema browser, which looks for tables and views alone, finds them', async () => {
  const { rows } = await demo.ask(
    pgxCached,
    `SELECT table_name FROM information_schema.tables
     WHERE table_schema = 'public' AND table_type IN ('BASE TABLE', 'VIEW') ORDER BY table_name`,
  );
  expect(rows).toContainEqual(['cloudtrail_trail_event']);
});

test('it offers values of a column, of a table that needs none', async () => {
  const { rows } = await demo.ask(
    pgxCached,
    `SELECT 'severity_label' AS col_name, "severity_label"::text AS val FROM (SELECT DISTINCT "severity_label"
     FROM "public"."guardduty_finding" WHERE "severity_label" IS NOT NULL ORDER BY "severity_label" LIMIT 100) sub_0`,
  );
  expect(rows.length).toBeGreaterThan(1);
});
