// psql: runs it for each check of the standard input, and answers with a line of JSON.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const [port, authority, stranger] = process.argv.slice(2);
const PLAIN = `host=127.0.0.1 port=${port} sslmode=disable`;
const TLS = `host=localhost port=${port} sslmode=verify-full`;
// Notices say what is ours alone.
const environment = { ...process.env, PGOPTIONS: '-c client_min_messages=warning' };
const QUIET = ['--no-psqlrc', '--quiet', '--csv', '--set=VERBOSITY=verbose', '--set=SHOW_CONTEXT=never'];

function start(script, where = PLAIN) {
  const child = spawn('psql', [...QUIET, where], { stdio: 'pipe', env: environment });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  child.stdin.on('error', () => undefined).end(`${script}\n`);
  const ended = new Promise((resolve) => child.on('close', (status) => resolve({ status, stdout, stderr })));
  return { child, ended };
}

const run = (script, where) => start(script, where).ended;

async function rowsOf(script, where) {
  const { status, stdout, stderr } = await (where === undefined ? kept.ask(script) : run(script, where));
  if (status !== 0 || stderr !== '') throw new Error(stderr);
  const rows = stdout.split('\n').slice(0, -1);
  return { rows };
}

/** One that goes on: what it says of a script, and of no other. */
function session() {
  const child = spawn('psql', [...QUIET, PLAIN], { stdio: 'pipe', env: environment });
  const END = '== end ==\n';
  const said = { stdout: '', stderr: '' };
  let check = () => undefined;
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      said[name] += text;
      check();
    });
  }
  return {
    ask: async (script) => {
      child.stdin.write(`${script}\n\\echo == end ==\n\\warn == end ==\n`);
      await new Promise((resolve) => {
        check = () => said.stdout.endsWith(END) && said.stderr.endsWith(END) && resolve();
      });
      const { stdout, stderr } = said;
      Object.assign(said, { stdout: '', stderr: '' });
      return { status: 0, stdout: stdout.slice(0, -END.length), stderr: stderr.slice(0, -END.length) };
    },
    end: () => child.stdin.end(),
  };
}

const kept = session();

/** Where in PostgreSQL's sources an error was raised. */
const LOCATION = /^LOCATION: .*\n/gm;

async function failing(sql, before = '', during = () => undefined) {
  const { child, ended } = start(`${before}select pg_backend_pid();\n${sql};\nselect 1;`);
  const pid = await new Promise((resolve) => {
    child.stdout.on('data', (text) => {
      const [, found] = /(\d+)\n/.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    });
    void ended.then(resolve);
  });
  await during(child, pid);
  const { stdout, stderr } = await ended;
  const [, code, message] = /ERROR: {2}(\w{5}): (.*)/.exec(stderr) ?? [];
  // Ctrl-C ends a script.
  const after = stdout.endsWith('\n1\n') ? '1' : 'ended';
  return { error: { code, message }, stderr: stderr.replaceAll(LOCATION, ''), after };
}

async function asleep(pid) {
  const sleeping = `select count(*) from pg_stat_activity where pid = ${pid} and wait_event = 'PgSleep';`;
  while ((await rowsOf(sleeping)).rows[1] === '0') await sleep(50);
}

/** As at a terminal: what is shown after each text that is typed once psql waits for it. */
async function typed(...texts) {
  const child = spawn('script', ['-qefc', `psql --no-psqlrc "${PLAIN}"`, '/dev/null'], {
    stdio: 'pipe',
    env: { ...environment, TERM: 'dumb', PAGER: 'cat', COLUMNS: '500' },
  });
  let shown = '';
  const ended = new Promise((resolve) => child.on('close', resolve));
  const until = async (pattern) => {
    for (const end = Date.now() + 120_000; Date.now() < end; await sleep(20)) if (pattern.test(shown)) return;
    throw new Error(`not shown: ${String(pattern)} in ${shown}`);
  };
  child.stdout.setEncoding('utf8').on('data', (text) => (shown += text));
  for (const [text, pattern] of texts) {
    await until(/=> $/);
    shown = '';
    child.stdin.write(text);
    await until(pattern);
    // Ctrl-U, and a line that does nothing.
    child.stdin.write('\u0015\n');
  }
  child.stdin.end('\\q\n');
  await ended;
}

// The last letters of each command that lists something.
const LISTS = [
  '',
  ...'a A Ac Af Ao Ap b c C config d D dp E es et eu ew f F Fd Fp Ft g i l L m n o O p P rds Rp Rs s t T u v x X y'.split(
    ' ',
  ),
];
const IN_FULL = [
  '\\d abuseipdb_check_ip',
  '\\d+ cloudtrail_trail_event',
  '\\d guardduty*',
  '\\sv abuseipdb_check_ip',
  '\\df pg_catalog.pg_typeof',
  '\\dT inet',
  '\\dn public',
];

const KINDS = {
  rows: (way, sql) => rowsOf(`\\set FETCH_COUNT ${way === 'FETCH_COUNT' ? 3 : 0}\n${sql};`),
  prepared: (_way, sql, ...values) => {
    const executed = Array.from({ length: 10 }, (_, n) => `execute s ('${values[n % values.length]}');`);
    return rowsOf([`prepare s as ${sql};`, ...executed, 'deallocate s;'].join('\n'));
  },
  long: async (_way, sql) => {
    const { rows } = await rowsOf(`\\set FETCH_COUNT 5000\n${sql};\n\\set FETCH_COUNT 0`);
    const numbers = rows.slice(1).map((row) => Number(row.slice(row.lastIndexOf(',') + 1)));
    return { count: numbers.length, sum: numbers.reduce((sum, n) => sum + n, 0) };
  },
  error: (_way, sql) => failing(sql),
  cancel: (_way, sql) =>
    failing(sql, '', async (child, pid) => {
      await asleep(pid);
      child.kill('SIGINT');
    }),
  timeout: (_way, sql) => failing(sql, 'set statement_timeout = 1000;\n'),
  terminated: async (_way, sql) => {
    const { status, stderr } = await run(`select pg_terminate_backend(pg_backend_pid());\n${sql};`);
    return { status, stderr: stderr.replaceAll(LOCATION, ''), ...(await rowsOf(`${sql};`)) };
  },
  tls: (_way, sql) => rowsOf(`${sql};`, `${TLS} channel_binding=require sslrootcert=${authority}`),
  untrusted: async (_way, sql) => {
    const { status, stderr } = await run(`${sql};`, `${TLS} sslrootcert=${stranger}`);
    return { status, refused: stderr.includes('certificate verify failed') };
  },
  'read-only': async (_way, sql) => {
    const script = `begin isolation level repeatable read read only; select 1; ${sql}; create table nowhere (a int); rollback;`;
    const { stdout, stderr } = await run(script);
    return { rows: stdout.split('\n'), stderr: stderr.replaceAll(LOCATION, '') };
  },
  'copy-out': (_way, sql) => rowsOf(`\\${sql}`),
  'copy-in': (_way, sql, ...values) =>
    rowsOf(
      ['create temp table watch (address inet);', '\\copy watch from pstdin', ...values, '\\.', `${sql};`].join('\n'),
    ),
  catalog: async () => {
    const told = {};
    // What there is besides our tables differs; that the queries work, and their columns, do not.
    const commands = LISTS.map((letters) => `\\d${letters}+`);
    const { status, stdout, stderr } = await run(
      commands.map((command) => `\\echo == ${command.slice(1)}\n\\warn == ${command.slice(1)}\n${command}`).join('\n'),
    );
    const columns = stdout.split('== ').map((shown) => shown.split('\n').slice(0, 2));
    told.lists = { status, columns, stderr: stderr.replaceAll(LOCATION, '') };
    for (const command of IN_FULL) told[command] = await rowsOf(command);
    const { rows } = await rowsOf(
      'select event_id, source_ip from cloudtrail_trail_event order by 1 limit 1 \\gset\n\\echo :event_id :source_ip',
    );
    told['\\gset'] = rows;
    told['\\gdesc'] = await rowsOf('select * from abuseipdb_check_ip \\gdesc');
    told['\\crosstabview'] = await rowsOf(
      'select event_name, username, count(*) from cloudtrail_trail_event group by 1, 2 order by 1, 2 \\crosstabview',
    );
    await typed(
      ['\\d abuseipdb_bl\t', /abuseipdb_blacklist /],
      ['select * from cloudtrail_trail_e\t', /cloudtrail_trail_event /],
      ['select * from guardduty_finding where severity_l\t', /severity_label /],
    );
    return told;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [kind, ...rest] = line.split('\t');
  process.stdout.write(`${JSON.stringify(await KINDS[kind](...rest).catch((error) => ({ threw: String(error) })))}\n`);
}
kept.end();
