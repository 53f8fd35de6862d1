import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Kind } from './checks.ts';

/** `by hand`: by `npm run clients` alone. */
export type Group = 'always' | 'by hand';

export interface Program {
  /** Its folder's, but for pgbouncer's modes. */
  readonly name: string;
  /** `always`: in the continuous integration, too. */
  readonly group: Group;
  /** How it can send a statement; the first is its usual one. */
  readonly ways: readonly string[];
  /** What it has no way to do. */
  readonly without?: readonly Kind[];
  readonly placeholder: (n: number) => string;
  /**
   * @param scratch a directory for what is built
   * @throws where its runtime is missing; the message is what to install
   */
  command(scratch: string): Command;
}

export interface Command {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const here = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const numbered = (n: number) => `$${n}`;
const questionMark = () => '?';
const percent = () => '%s';

function check(words: readonly string[], missing: string, env = process.env): void {
  const [name = '', ...rest] = words;
  const { status, stderr, error } = spawnSync(name, rest, { encoding: 'utf8', env });
  if (status !== 0) throw new Error(`${missing}: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? ''}`);
}

function python(folder: string, modules: readonly string[]): Command {
  check(['/usr/bin/python3', '-c', `import ${modules.join(', ')}`], `Debian's python3-${modules.join(', python3-')}`);
  return { command: ['/usr/bin/python3', here(`${folder}/client.py`)], environment: {} };
}

/** Neither optimized nor with C: a machine that has compiled nothing yet takes half as long. */
const GO = { CGO_ENABLED: '0', GOPROXY: 'off' };

function go(folder: string, scratch: string): Command {
  const program = join(scratch, folder);
  const build = ['go', '-C', here(folder), 'build', '-gcflags=all=-N -l', '-o', program, '.'];
  check(build, `Go, or its modules (test/clients/install)`, { ...process.env, ...GO });
  return { command: [program], environment: {} };
}

function pooled(mode: 'session' | 'transaction', program: readonly string[]): Command {
  check(['pgbouncer', '--version'], "Debian's pgbouncer");
  return { command: [process.execPath, here('pgbouncer/client.mjs'), mode, ...program], environment: {} };
}

export const PROGRAMS: readonly Program[] = [
  {
    name: 'psql',
    group: 'always',
    ways: ['simple', 'FETCH_COUNT'],
    placeholder: numbered,
    command: () => {
      check(['psql', '--version'], "Debian's postgresql-client");
      check(['script', '--version'], "Debian's bsdutils");
      return { command: [process.execPath, here('psql/client.mjs')], environment: {} };
    },
  },
  {
    name: 'pg',
    group: 'always',
    ways: ['simple', 'extended', 'binary results', 'pages of 7'],
    without: ['catalog'],
    placeholder: numbered,
    command: () => ({ command: [process.execPath, here('pg/client.mjs')], environment: {} }),
  },
  {
    name: 'postgres.js',
    group: 'always',
    ways: ['extended', 'simple', 'prepared', 'cursor'],
    without: ['catalog'],
    placeholder: numbered,
    command: () => {
      check([process.execPath, '--eval', 'require.resolve("postgres")'], 'npm ci');
      return { command: [process.execPath, here('postgres.js/client.mjs')], environment: {} };
    },
  },
  {
    name: 'psycopg',
    group: 'always',
    ways: ['text', 'binary', 'server cursor', 'pipeline'],
    without: ['catalog'],
    placeholder: percent,
    command: () => python('psycopg', ['psycopg']),
  },
  {
    name: 'pgx',
    group: 'always',
    ways: ['cache_statement', 'cache_describe', 'describe_exec', 'exec', 'simple_protocol'],
    without: ['catalog'],
    placeholder: numbered,
    command: (scratch) => go('pgx', scratch),
  },
  {
    name: 'lib-pq',
    group: 'always',
    ways: ['simple', 'binary parameters'],
    without: ['catalog', 'copy-out'],
    placeholder: numbered,
    command: (scratch) => go('lib-pq', scratch),
  },
  {
    name: 'pgjdbc',
    group: 'always',
    ways: ['extended', 'named and binary', 'pages of 3', 'simple'],
    placeholder: questionMark,
    command: () => {
      check(['java', '--version'], 'a JDK');
      const jar = '/usr/share/java/postgresql.jar';
      if (!existsSync(jar)) throw new Error("Debian's libpostgresql-jdbc-java");
      // The fastest of ways to start where a run is short.
      const options = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Duser.timezone=UTC'];
      return { command: ['java', ...options, '-cp', jar, here('pgjdbc/Client.java')], environment: {} };
    },
  },
  {
    name: 'psycopg2',
    group: 'by hand',
    ways: ['client cursor', 'named cursor'],
    without: ['catalog'],
    placeholder: percent,
    command: () => python('psycopg2', ['psycopg2']),
  },
  {
    name: 'sqlalchemy',
    group: 'by hand',
    ways: ['whole', 'streamed'],
    without: ['cancel', 'copy-out', 'copy-in'],
    placeholder: (n) => `:v${n}`,
    command: () => python('sqlalchemy', ['psycopg2', 'sqlalchemy']),
  },
  {
    name: 'psqlodbc',
    group: 'by hand',
    ways: ['whole', 'declare and fetch'],
    without: ['copy-out', 'copy-in'],
    placeholder: questionMark,
    command: () => {
      check(['odbcinst', '-q', '-d', '-n', 'PostgreSQL Unicode'], "Debian's odbc-postgresql");
      return python('psqlodbc', ['pyodbc']);
    },
  },
  {
    name: 'dbd-pg',
    group: 'by hand',
    ways: ['prepared', 'not prepared'],
    placeholder: questionMark,
    command: () => {
      check(['/usr/bin/perl', '-MDBD::Pg', '-e1'], "Debian's libdbd-pg-perl");
      return { command: ['/usr/bin/perl', here('dbd-pg/client.pl')], environment: {} };
    },
  },
  {
    name: 'asyncpg',
    group: 'by hand',
    ways: ['fetch', 'cursor'],
    without: ['catalog'],
    placeholder: numbered,
    command: () => python('asyncpg', ['asyncpg']),
  },
  {
    name: 'pgbouncer, a session a client',
    group: 'by hand',
    ways: ['simple', 'extended', 'binary results', 'pages of 7'],
    // TLS ends at it.
    without: ['catalog', 'tls', 'untrusted'],
    placeholder: numbered,
    command: () => pooled('session', [process.execPath, here('pg/client.mjs')]),
  },
  {
    name: 'pgbouncer, a session a transaction',
    group: 'by hand',
    ways: ['client cursor', 'named cursor'],
    // And whose a backend is changes.
    without: ['catalog', 'tls', 'untrusted', 'terminated'],
    placeholder: percent,
    command: () => pooled('transaction', python('psycopg2', ['psycopg2']).command),
  },
];
