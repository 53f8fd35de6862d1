import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseStatements } from '../../src/sql/parse.ts';
import { dashboards, expandMacros } from './grafana.ts';
import { files, read, root } from './repository.ts';

interface Service {
  readonly image?: string;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
}

const compose = parse(read('docker-compose.yml')) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const datasources = parse(read('examples/grafana/provisioning/datasources/trailhound.yaml')) as {
  readonly datasources: readonly { readonly uid: string; readonly url: string; readonly type: string }[];
};
const dockerfile = read('Dockerfile');

describe('docker-compose.yml', () => {
  test('mounts only files that exist, and publishes on loopback alone', () => {
    const services = Object.values(compose.services);
    const mounted = services.flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(':')[0] ?? ''));
    expect(mounted).toContain('./examples/grafana/provisioning');
    const missing = mounted.filter((path) =>
      path.startsWith('./') ? !existsSync(join(root, path)) : !(path in compose.volumes) && !path.startsWith('$'),
    );
    expect(missing).toEqual([]);
    const ports = services.flatMap(({ ports: published = [] }) => published);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    expect(ports).toHaveLength(3);
  });

  test('pins Grafana to a version', () => {
    expect(compose.services.grafana?.image).toMatch(/^grafana\/grafana:\d+\.\d+\.\d+$/);
  });
});

describe('Dockerfile', () => {
  test('copies only what .dockerignore lets in, and runs as an unprivileged user', () => {
    const included = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const present = files();
    expect(included.filter((entry) => !present.some((path) => path === entry || path.startsWith(`${entry}/`)))).toEqual(
      [],
    );
    const last = dockerfile.slice(dockerfile.lastIndexOf('FROM '));
    expect(last).toMatch(/^USER node$/m);
    expect(last).toMatch(/^VOLUME \/var\/lib\/trailhound$/m);
    expect(last).toContain("fetch('http://127.0.0.1:9433/healthz')");
  });
});

describe('Grafana', () => {
  const panels = dashboards().flatMap(([path, dashboard]) =>
    dashboard.panels.map((panel) => ({ path, dashboard, ...panel })),
  );
  const shown = { from: '2026-01-01T00:00:00Z', to: '2026-01-08T00:00:00Z', interval: '1h' } as const;

  test('finds its data source under the name of the service', () => {
    const [source] = datasources.datasources;
    expect(source).toMatchObject({ uid: 'trailhound', type: 'grafana-postgresql-datasource', url: 'trailhound:9432' });
    expect(Object.keys(compose.services)).toContain(source?.url.split(':')[0]);
  });

  test('opens on a dashboard that is there, and its links lead to others that are', () => {
    const home = /\/dashboards\/(\w+\.json)$/m.exec(read('docker-compose.yml'))?.[1] ?? '';
    const paths = dashboards().map(([path]) => path);
    expect(paths).toContain(`examples/grafana/dashboards/${home}`);
    const uids = dashboards().map(([, { uid }]) => uid);
    const linked = paths.flatMap((path) => [...read(path).matchAll(/"\/d\/([\w-]+)/g)].map(([, uid]) => uid));
    expect(linked.length).toBeGreaterThan(0);
    expect(linked.filter((uid) => !uids.includes(uid ?? ''))).toEqual([]);
  });

  test('has panels with ids of their own', () => {
    expect(panels.length).toBeGreaterThan(0);
    expect(new Set(panels.map(({ path, id }) => `${path} ${String(id)}`)).size).toBe(panels.length);
  });

  test.each(panels)('is given one readable statement by “$title”', ({ targets, dashboard }) => {
    for (const { rawSql, rawQuery, datasource, format } of targets) {
      expect([rawQuery, datasource.uid]).toEqual([true, 'trailhound']);
      const sql = expandMacros(rawSql, shown, dashboard);
      expect(parseStatements(sql)).toHaveLength(1);
      // Without a column of this name and this order Grafana draws no series.
      if (format === 'time_series') expect(sql).toMatch(/AS "time"[\s\S]*order by 1$/);
      expect(rawSql).toContain('$__timeFilter(');
    }
  });
});
