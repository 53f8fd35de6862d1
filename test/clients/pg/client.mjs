// node-postgres: answers each check of its standard input with a line of JSON.
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

const [port, authority, stranger] = process.argv.slice(2);

async function withClient(work, more = {}) {
  const client = new Client({ host: '127.0.0.1', port, ...more });
  client.on('error', () => undefined);
  await client.connect();
  return work(client).finally(() => client.end());
}

const shown = ({ fields, rows }) => ({ columns: fields.map(({ name, dataTypeID }) => [name, dataTypeID]), rows });
const failure = ({ code, message, detail, position }) => ({ code, message, detail, position });
const array = (text, more = {}) => ({ text, rowMode: 'array', ...more });

const AS_THEY_COME = { getTypeParser: () => (value) => value };

const WAYS = {
  simple: (text) => array(text),
  extended: (text) => array(text, { queryMode: 'extended' }),
  // pg cannot read all of them: as they come.
  'binary results': (text) => array(text, { queryMode: 'extended', binary: true, types: AS_THEY_COME }),
  'pages of 7': (text) => array(text, { rows: 7 }),
};

async function failing(client, sql) {
  const error = await client.query(sql).then(
    () => ({ message: 'no error' }),
    (caught) => failure(caught),
  );
  const { rows } = await client.query('select 1 as one');
  return { error, after: String(rows[0].one) };
}

/** What a pooler before it says at log-in is its own. */
const pidOf = async (client) => (await client.query('select pg_backend_pid() as pid')).rows[0].pid;

async function asleep(pid) {
  const sleeping = `select from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'`;
  await withClient(async (other) => {
    while ((await other.query(sleeping, [pid])).rowCount === 0) await sleep(20);
  });
}

const KINDS = {
  rows: async (client, way, sql) => shown(await client.query(WAYS[way](sql))),
  prepared: async (client, _way, sql, ...values) => {
    const answers = [];
    for (let n = 0; n < 10; n += 1) {
      answers.push((await client.query(array(sql, { name: 's', values: [values[n % values.length]] }))).rows);
    }
    return { rows: answers };
  },
  long: async (client, _way, sql) => {
    let [count, sum] = [0, 0];
    for (const row of (await client.query(array(sql))).rows) {
      count += 1;
      sum += row.at(-1);
    }
    return { count, sum };
  },
  error: (client, _way, sql) => failing(client, sql),
  cancel: async (client, _way, sql) => {
    const pid = pidOf(client);
    const answer = failing(client, sql);
    await asleep(await pid);
    const canceller = new Client({ host: '127.0.0.1', port });
    canceller.connection.on('error', () => undefined);
    canceller.connection.connect(Number(port), '127.0.0.1');
    canceller.connection.on('connect', () => canceller.connection.cancel(client.processID, client.secretKey));
    return answer;
  },
  timeout: async (client, _way, sql) => {
    await client.query('set statement_timeout = 1000');
    return failing(client, sql);
  },
  terminated: async (client, _way, sql) => {
    const ended = new Promise((resolve) => client.once('end', resolve));
    const pid = await pidOf(client);
    await withClient((other) => other.query('select pg_terminate_backend($1, 60000)', [pid]));
    await ended;
    const message = await client.query(sql).catch((error) => error.message);
    return { message, ...(await withClient(async (again) => shown(await again.query(array(sql))))) };
  },
  tls: async (_client, _way, sql) =>
    withClient(async (secure) => shown(await secure.query(array(sql))), {
      host: 'localhost',
      ssl: { ca: readFileSync(authority) },
      enableChannelBinding: true,
    }),
  untrusted: async () => {
    const connecting = withClient(async () => ({}), { host: 'localhost', ssl: { ca: readFileSync(stranger) } });
    return connecting.catch(({ code }) => ({ refused: code }));
  },
  'read-only': async (client, _way, sql) => {
    await client.query('begin isolation level repeatable read read only');
    await client.query('select 1');
    const answer = shown(await client.query(array(sql)));
    const { code } = await client.query('create table nowhere (a int)').catch((error) => error);
    await client.query('rollback');
    return { ...answer, code };
  },
  'copy-out': async (client, _way, sql) => {
    const chunks = [];
    for await (const chunk of client.query(copyTo(sql))) chunks.push(chunk);
    return { lines: Buffer.concat(chunks).toString().split('\n') };
  },
  'copy-in': async (client, _way, sql, ...values) => {
    await client.query('create temp table watch (address inet)');
    const stream = client.query(copyFrom('copy watch from stdin'));
    stream.end(values.map((value) => `${value}\n`).join(''));
    await once(stream, 'finish');
    return shown(await client.query(array(sql)));
  },
};

const ON_ONE_CONNECTION = ['rows', 'error'];

await withClient(async (kept) => {
  for await (const line of createInterface({ input: process.stdin })) {
    const [kind, way, ...rest] = line.split('\t');
    const check = (client) => KINDS[kind](client, way, ...rest);
    const answer = ON_ONE_CONNECTION.includes(kind) ? check(kept) : withClient(check);
    process.stdout.write(`${JSON.stringify(await answer.catch((error) => ({ threw: String(error) })))}\n`);
  }
});
