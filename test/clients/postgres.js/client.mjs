// porsager's postgres: answers each check of its standard input with a line of JSON.
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';

const [port, authority, stranger] = process.argv.slice(2);

async function withSql(work, more = {}) {
  const sql = postgres({ host: '127.0.0.1', port: Number(port), max: 1, onnotice: () => undefined, ...more });
  return work(sql).finally(() => sql.end());
}

const shown = (result) => ({ columns: result.columns.map(({ name, type }) => [name, type]), rows: [...result] });
const failure = ({ code, message, position }) => ({ code, message, position });

const WAYS = {
  extended: async (sql, text) => shown(await sql.unsafe(text, [], { prepare: false }).values()),
  simple: async (sql, text) => shown(await sql.unsafe(text).simple().values()),
  prepared: async (sql, text) => {
    const [, last] = [
      await sql.unsafe(text, [], { prepare: true }).values(),
      await sql.unsafe(text, [], { prepare: true }).values(),
    ];
    return shown(last);
  },
  cursor: async (sql, text) => {
    const rows = [];
    for await (const some of sql.unsafe(text, [], { prepare: false }).cursor(3)) rows.push(...some);
    return { rows };
  },
};

async function failing(sql, query) {
  const error = await query.then(
    () => ({ message: 'no error' }),
    (caught) => failure(caught),
  );
  const [row] = await sql`select 1 as one`;
  return { error, after: String(row.one) };
}

const pidOf = async (sql) => (await sql`select pg_backend_pid() as pid`)[0].pid;

const KINDS = {
  rows: (sql, way, text) => WAYS[way](sql, text),
  prepared: async (sql, _way, text, ...values) => {
    const answers = [];
    for (let n = 0; n < 10; n += 1) {
      answers.push([...(await sql.unsafe(text, [values[n % values.length]], { prepare: true }).values())]);
    }
    return { rows: answers };
  },
  long: async (sql, _way, text) => {
    let [count, sum] = [0, 0];
    await sql.unsafe(text, [], { prepare: false }).cursor(5000, (rows) => {
      count += rows.length;
      for (const { n } of rows) sum += n;
    });
    return { count, sum };
  },
  error: (sql, _way, text) => failing(sql, sql.unsafe(text)),
  cancel: async (sql, _way, text) => {
    const pid = await pidOf(sql);
    const query = sql.unsafe(text);
    const answer = failing(sql, query);
    await withSql(async (other) => {
      const sleeping = () => other`select 1 from pg_stat_activity where pid = ${pid} and wait_event = 'PgSleep'`;
      while ((await sleeping()).length === 0) await sleep(20);
    });
    query.cancel();
    return answer;
  },
  timeout: async (sql, _way, text) => {
    await sql`set statement_timeout = 1000`;
    return failing(sql, sql.unsafe(text));
  },
  terminated: async (sql, _way, text) => {
    const pid = await pidOf(sql);
    // Its pool connects anew by itself.
    const lost = sql.unsafe('select pg_sleep(600)').catch(({ code }) => code);
    await withSql(async (other) => {
      const sleeping = () => other`select 1 from pg_stat_activity where pid = ${pid} and wait_event = 'PgSleep'`;
      while ((await sleeping()).length === 0) await sleep(20);
      await other`select pg_terminate_backend(${pid}, 60000)`;
    });
    const code = await lost;
    // Whether its end has been seen by the time of the next statement is chance.
    const answer = await WAYS.extended(sql, text).catch(() => WAYS.extended(sql, text));
    return { code, ...answer, other: (await pidOf(sql)) !== pid };
  },
  tls: async (_sql, _way, text) =>
    withSql((secure) => WAYS.extended(secure, text), { host: 'localhost', ssl: { ca: readFileSync(authority) } }),
  untrusted: async () => {
    const connecting = withSql((secure) => WAYS.extended(secure, 'select 1'), {
      host: 'localhost',
      ssl: { ca: readFileSync(stranger) },
    });
    return connecting.catch(({ code }) => ({ refused: code }));
  },
  'read-only': (sql, _way, text) =>
    sql.begin('isolation level repeatable read read only', async (transaction) => {
      await transaction`select 1`;
      const answer = shown(await transaction.unsafe(text).values());
      const code = await transaction
        .savepoint((inner) => inner`create table nowhere (a int)`)
        .catch((error) => error.code);
      return { ...answer, code };
    }),
  'copy-out': async (sql, _way, text) => {
    const chunks = [];
    for await (const chunk of await sql.unsafe(text).readable()) chunks.push(chunk);
    return { lines: Buffer.concat(chunks).toString().split('\n') };
  },
  'copy-in': async (sql, _way, text, ...values) => {
    await sql`create temp table watch (address inet)`;
    const stream = await sql`copy watch from stdin`.writable();
    await pipeline(
      values.map((value) => `${value}\n`),
      stream,
    );
    return WAYS.extended(sql, text);
  },
};

const ON_ONE_CONNECTION = ['rows', 'error'];

await withSql(async (kept) => {
  for await (const line of createInterface({ input: process.stdin })) {
    const [kind, way, ...rest] = line.split('\t');
    const check = (sql) => KINDS[kind](sql, way, ...rest);
    const answer = ON_ONE_CONNECTION.includes(kind) ? check(kept) : withSql(check);
    process.stdout.write(`${JSON.stringify(await answer.catch((error) => ({ threw: String(error) })))}\n`);
  }
});
