import { files, read } from './repository.ts';

export interface Target {
  readonly format: 'table' | 'time_series';
  readonly rawQuery: boolean;
  readonly rawSql: string;
  readonly datasource: { readonly uid: string };
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly current: { readonly value: string };
}

export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly { readonly id: number; readonly title: string; readonly targets: readonly Target[] }[];
  readonly templating: { readonly list: readonly Variable[] };
}

/** The dashboards that `docker-compose.yml` hands to Grafana, by path. */
export function dashboards(): readonly (readonly [path: string, dashboard: Dashboard])[] {
  return files()
    .filter((path) => /^examples\/grafana\/dashboards\/.*\.json$/.test(path))
    .map((path) => [path, JSON.parse(read(path)) as Dashboard]);
}

/** What a panel shows: a range in RFC 3339, and how wide a bucket is. */
export interface Shown {
  readonly from: string;
  readonly to: string;
  readonly interval: '5m' | '1h';
}

/**
 * A panel's statement as Grafana sends it: its variables put in by the browser, its macros by the server
 * (pkg/tsdb/grafana-postgresql-datasource/macros.go; dates are literals without a type).
 */
export function expandMacros(sql: string, { from, to, interval }: Shown, { templating }: Dashboard): string {
  const epoch = (text: string) => Math.floor(Date.parse(text) / 1000).toString();
  return withVariables(sql, templating.list)
    .replaceAll('$__interval', interval)
    .replaceAll('$__unixEpochFrom()', epoch(from))
    .replaceAll('$__unixEpochTo()', epoch(to))
    .replaceAll(/\$([_a-zA-Z0-9]+)\(([^)]*)\)/g, (_text, name: string, list: string) => {
      const [column = '', bucket = ''] = list.split(',').map((argument) => argument.trim());
      const seconds = { '5m': '300', '1h': '3600' }[bucket.replaceAll("'", '')];
      const group = () => {
        if (seconds === undefined) throw new Error(`no interval: ${bucket}`);
        return `floor(extract(epoch from ${column})/${seconds})*${seconds}`;
      };
      switch (name) {
        case '__time':
          return `${column} AS "time"`;
        case '__timeFilter':
          return `${column} BETWEEN '${from}' AND '${to}'`;
        case '__timeFrom':
          return `'${from}'`;
        case '__timeTo':
          return `'${to}'`;
        case '__timeGroup':
          return group();
        case '__timeGroupAlias':
          return `${group()} AS "time"`;
        case '__unixEpochFilter':
          return `${column} >= ${epoch(from)} AND ${column} <= ${epoch(to)}`;
        default:
          throw new Error(`unknown macro $${name}`);
      }
    });
}

/** `${name:sqlstring}`: quoted, as the browser does it. */
function withVariables(sql: string, variables: readonly Variable[]): string {
  return sql.replaceAll(/\$\{(\w+):sqlstring\}/g, (_text, name: string) => {
    const variable = variables.find((candidate) => candidate.name === name);
    if (variable === undefined) throw new Error(`unknown variable ${name}`);
    return `'${variable.current.value.replaceAll("'", "''")}'`;
  });
}
