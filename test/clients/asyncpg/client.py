"""asyncpg: answers each check of its standard input with a line of JSON."""

import asyncio
import io
import ipaddress
import json
import ssl
import sys

import asyncpg

port, authority, stranger = sys.argv[1:]


def connect(host="127.0.0.1", secure=False):
    return asyncpg.connect(host=host, port=port, ssl=secure)


def trusting(certificate):
    return ssl.create_default_context(cafile=certificate)


def shown(records):
    columns = list(records[0].keys()) if records else []
    return {"columns": columns, "rows": [[None if v is None else repr(v) for v in record] for record in records]}


async def rows(connection, way, sql):
    if way == "fetch":
        return shown(await connection.fetch(sql))
    async with connection.transaction():
        return shown([record async for record in connection.cursor(sql, prefetch=3)])


async def prepared(connection, _way, sql, *values):
    statement = await connection.prepare(sql)
    wanted = [parameter.name for parameter in statement.get_parameters()]
    given = [ipaddress.ip_address(value) if wanted == ["inet"] else value for value in values]
    each = [shown(await statement.fetch(given[n % len(given)]))["rows"] for n in range(10)]
    attributes = [[column.name, column.type.name] for column in statement.get_attributes()]
    return {"rows": each, "parameters": wanted, "columns": attributes}


async def long(connection, _way, sql):
    count = total = 0
    async with connection.transaction():
        async for record in connection.cursor(sql, prefetch=5000):
            count += 1
            total += record[-1]
    return {"count": count, "sum": total}


async def error(connection, _way, sql):
    try:
        await connection.fetch(sql)
    except asyncpg.PostgresError as caught:
        told = {"code": caught.sqlstate, "message": caught.message, "position": caught.position}
        return {"error": told, "after": str(await connection.fetchval("select 1"))}


async def cancel(connection, _way, sql):
    task = asyncio.ensure_future(connection.fetch(sql))
    other = await connect()
    sleeping = "select 1 from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'"
    while await other.fetchval(sleeping, connection.get_server_pid()) is None:
        await asyncio.sleep(0.02)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return {"cancelled": True, "after": await connection.fetchval("select 1")}


async def timeout(connection, way, sql):
    await connection.execute("set statement_timeout = 1000")
    return await error(connection, way, sql)


async def terminated(connection, _way, sql):
    other = await connect()
    await other.execute(f"select pg_terminate_backend({connection.get_server_pid()}, 60000)")
    await asyncio.sleep(0.1)
    answer = {"closed": connection.is_closed()}
    again = await connect()
    return answer | shown(await again.fetch(sql))


async def tls(_connection, _way, sql):
    secure = await connect("localhost", trusting(authority))
    return shown(await secure.fetch(sql))


async def untrusted(_connection, _way, _sql):
    try:
        await connect("localhost", trusting(stranger))
    except ssl.SSLCertVerificationError as caught:
        return {"refused": caught.verify_code}


async def read_only(connection, _way, sql):
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.fetch("select 1")
        answer = shown(await connection.fetch(sql))
        try:
            async with connection.transaction():
                await connection.execute("create table nowhere (a int)")
        except asyncpg.PostgresError as caught:
            answer["code"] = caught.sqlstate
        return answer


async def copy_out(connection, _way, sql):
    lines = io.BytesIO()
    query = sql.removeprefix("copy (").removesuffix(") to stdout")
    await connection.copy_from_query(query, output=lines)
    return {"lines": lines.getvalue().decode().split("\n")}


async def copy_in(connection, _way, sql, *values):
    await connection.execute("create temp table watch (address inet)")
    await connection.copy_records_to_table("watch", records=[(ipaddress.ip_address(value),) for value in values])
    return shown(await connection.fetch(sql))


async def main():
    for line in sys.stdin:
        kind, way, *rest = line.rstrip("\n").split("\t")
        fresh = await connect()
        try:
            answer = await globals()[kind.replace("-", "_")](fresh, way, *rest)
        except Exception as unexpected:
            answer = {"threw": repr(unexpected)}
        fresh.terminate()
        print(json.dumps(answer), flush=True)


asyncio.run(main())
