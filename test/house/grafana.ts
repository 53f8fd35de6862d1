import { files, read } from './repository.ts';

export interface Target {
  readonly format: 'table' | 'time_series';
  readonly rawQuery: boolean;
  readonly rawSql: string;
  readonly datasource: { readonly uid: string };
}

export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly { readonly id: number; readonly title: string; readonly targets: readonly Target[] }[];
}

/** The dashboards that `docker-compose.yml` hands to Grafana, by path. */
export function dashboards(): readonly (readonly [path: string, dashboard: Dashboard])[] {
  return files()
    .filter((path) => /^examples\/grafana\/dashboards\/.*\.json$/.test(path))
    .map((path) => [path, JSON.parse(read(path)) as Dashboard]);
}

/** Grafana's macros for PostgreSQL, expanded as its server does for one range and a bucket of 5 minutes. */
export function expandMacros(sql: string, from: string, to: string): string {
  const seconds = 300;
  return sql
    .replaceAll('$__interval', '5m')
    .replaceAll(/\$(__[a-zA-Z]+)\(([^)]*)\)/g, (_text, name: string, list: string) => {
      const column = list.split(',')[0]?.trim() ?? '';
      const group = `floor(extract(epoch from ${column})/${String(seconds)})*${String(seconds)}`;
      const macros: Readonly<Record<string, string>> = {
        __time: `${column} AS "time"`,
        __timeFilter: `${column} BETWEEN '${from}' AND '${to}'`,
        __timeFrom: `'${from}'`,
        __timeTo: `'${to}'`,
        __timeGroup: group,
        __timeGroupAlias: `${group} AS "time"`,
      };
      const expansion = macros[name];
      if (expansion === undefined) throw new Error(`unknown macro $${name}`);
      return expansion;
    });
}
