// The order of the layers and who may import what. `npm run lint` checks it; docs/architecture.md explains it.

/** A layer imports only from lower ranks, and not from another layer of its own rank. */
const rank = {
  cli: 9,
  app: 8,
  session: 7,
  http: 7,
  hunts: 6,
  query: 5,
  hydrate: 4,
  planner: 3,
  sources: 2,
  engine: 2,
  catalog: 1.5, // what a table is: sources plan by its columns
  wire: 1,
  sql: 1,
  kernel: 0,
};

/** package: the one file or directory that imports it. A package that is not here may not be imported at all. */
const importers = {
  '@aws-sdk/client-account': '^src/sources/aws/',
  '@aws-sdk/client-cloudtrail': '^src/sources/aws/',
  '@aws-sdk/client-cloudwatch-logs': '^src/sources/aws/',
  '@aws-sdk/client-guardduty': '^src/sources/aws/',
  '@aws-sdk/client-s3': '^src/sources/aws/',
  '@aws-sdk/client-sts': '^src/sources/aws/',
  '@aws-sdk/credential-providers': '^src/sources/aws/',
  // Types alone, of the tree that src/sql/ hands out: the two layers that read it name its nodes.
  '@pgsql/types': '^src/(sql|planner|query)/',
  commander: '^src/cli/',
  fastify: '^src/http/',
  'libpg-query': '^src/sql/',
  'lru-cache': '^src/kernel/',
  pg: '^src/engine/',
  'pg-copy-streams': '^src/engine/',
  'pgsql-deparser': '^src/sql/',
  pino: '^src/kernel/',
  'prom-client': '^src/http/',
  saslprep: '^src/wire/',
  selfsigned: '^src/session/',
  undici: '^src/sources/(abuseipdb|http)/',
  // The configuration, and rules of other languages.
  yaml: '^src/(app/config/|hunts/import/read-yaml)',
  zod: '^src/app/config/',
};

/** Tests, and what they share. */
const test = '(\\.test\\.ts$|^test/)';
const escape = (text) => text.replace(/[.+\-/]/g, '\\$&');
const inPackage = (name) => `(^|/)node_modules/(@types/)?${escape(name)}/`;
const layers = Object.keys(rank);

module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...layers.map((layer) => ({
      name: `layer-${layer}`,
      comment: `src/${layer} imports only from lower layers`,
      severity: 'error',
      from: { path: `^src/${layer}/`, pathNot: test },
      to: { path: `^src/(${layers.filter((other) => other !== layer && rank[other] >= rank[layer]).join('|')})/` },
    })),
    {
      name: 'sources-apart',
      comment: 'a source never imports another source: what they share is src/sources/*.ts',
      severity: 'error',
      from: { path: '^src/sources/([^/]+)/' },
      to: { path: '^src/sources/[^/]+/', pathNot: '^src/sources/$1/' },
    },
    {
      name: 'concrete-only-in-app',
      comment: 'only app/ names concrete sources and engines',
      severity: 'error',
      from: { pathNot: [test, '^src/app/', '^src/sources/', '^src/engine/'] },
      to: { path: ['^src/sources/[^/]+/', '^src/engine/(embedded|external)/'] },
    },
    {
      name: 'simulator-only-in-app',
      comment: 'the simulator is for the demo, tests and benchmarks',
      severity: 'error',
      from: { pathNot: [test, '^src/app/', '^src/simulator/'] },
      to: { path: '^src/simulator/' },
    },
    {
      name: 'simulator-apart',
      comment: 'the simulator shares no code with what it is held against',
      severity: 'error',
      from: { path: '^src/simulator/', pathNot: test },
      to: { path: '^src/', pathNot: '^src/(simulator|kernel)/' },
    },
    {
      name: 'no-test-imported',
      severity: 'error',
      from: { pathNot: test },
      to: { path: test },
    },
    {
      name: 'pure',
      comment: 'the planner plans: no sockets, files, timers or processes',
      severity: 'error',
      from: { path: '^src/planner/', pathNot: test },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'wire-has-no-sockets',
      severity: 'error',
      from: { path: '^src/wire/', pathNot: test },
      to: { dependencyTypes: ['core'], path: '^(node:)?(net|tls|http|https|http2|dgram|fs|child_process)(/|$)' },
    },
    ...Object.entries(importers).map(([name, importer]) => ({
      name: `one-importer-${name}`,
      severity: 'error',
      from: { pathNot: [importer, test] },
      to: { path: inPackage(name) },
    })),
    {
      name: 'unlisted-package',
      comment: 'name its one importer in the table above',
      severity: 'error',
      from: { pathNot: test },
      to: { path: 'node_modules/', pathNot: Object.keys(importers).map(inPackage) },
    },
    {
      name: 'no-dev-dependency',
      severity: 'error',
      from: { pathNot: test },
      to: { dependencyTypes: ['npm-dev'], pathNot: '/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Type-only imports tie layers together as much as others do.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
