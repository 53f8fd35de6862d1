"""psycopg 3: answers each check of its standard input with a line of JSON."""

import ipaddress
import json
import sys
import threading
import time

import psycopg

port, authority, stranger = sys.argv[1:]
PLAIN = f"host=127.0.0.1 port={port} sslmode=disable"


def connect(**more):
    return psycopg.connect(PLAIN, autocommit=True, **more)


def shown(rows):
    return [[None if value is None else repr(value) for value in row] for row in rows]


def failure(error):
    diag = error.diag
    return {
        "code": error.sqlstate,
        "message": diag.message_primary,
        "position": diag.statement_position,
    }


def fetched(cursor):
    # In a pipeline the description is there once the rows are.
    values = shown(cursor.fetchall())
    return {"columns": [[column.name, column.type_code] for column in cursor.description], "rows": values}


def rows(connection, way, sql):
    if way == "text":
        return fetched(connection.execute(sql))
    if way == "binary":
        return fetched(connection.execute(sql, binary=True))
    if way == "server cursor":
        with connection.transaction(), connection.cursor("server") as cursor:
            return fetched(cursor.execute(sql))
    with connection.pipeline():
        first = connection.execute("select 'before'")
        cursor = connection.execute(sql)
        last = connection.execute("select 'after'")
        return fetched(cursor) | {"around": first.fetchone() + last.fetchone()}


def prepared(connection, _way, sql, *values):
    """Named from the fifth time on, as psycopg does by itself."""
    cursors = [connection.execute(sql, [values[n % len(values)]]) for n in range(10)]
    names = connection.execute("select count(*) from pg_prepared_statements").fetchone()
    return {"rows": [shown(cursor.fetchall()) for cursor in cursors], "named": names}


def long(connection, _way, sql):
    count = total = 0
    with connection.transaction(), connection.cursor("long") as cursor:
        cursor.itersize = 5000
        for row in cursor.execute(sql):
            count += 1
            total += row[-1]
    return {"count": count, "sum": total}


def error(connection, _way, sql):
    try:
        connection.execute(sql)
    except psycopg.Error as caught:
        return {"error": failure(caught), "after": str(connection.execute("select 1").fetchone()[0])}


def asleep(pid):
    with connect() as other:
        sleeping = "select from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"
        while other.execute(sleeping, [pid]).rowcount == 0:
            time.sleep(0.02)


def cancel(connection, way, sql):
    def soon():
        asleep(connection.info.backend_pid)
        connection.cancel()

    thread = threading.Thread(target=soon)
    thread.start()
    answer = error(connection, way, sql)
    thread.join()
    return answer


def timeout(connection, way, sql):
    connection.execute("set statement_timeout = 1000")
    return error(connection, way, sql)


def terminated(connection, _way, sql):
    with connect() as other:
        other.execute("select pg_terminate_backend(%s, 60000)", [connection.info.backend_pid])
    try:
        connection.execute(sql)
        answer = {}
    except psycopg.OperationalError as caught:
        answer = {"code": caught.sqlstate, "closed": connection.closed}
    with connect() as again:
        return answer | fetched(again.execute(sql))


def tls(_connection, _way, sql):
    where = f"host=localhost port={port} sslmode=verify-full channel_binding=require sslrootcert={authority}"
    with psycopg.connect(where) as secure:
        return fetched(secure.execute(sql)) | {"tls": secure.pgconn.ssl_in_use}


def untrusted(_connection, _way, sql):
    try:
        psycopg.connect(f"host=localhost port={port} sslmode=verify-full sslrootcert={stranger}")
    except psycopg.OperationalError as caught:
        return {"refused": "certificate verify failed" in str(caught)}


def read_only(connection, _way, sql):
    connection.autocommit = False
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.execute("select 1")
    answer = fetched(connection.execute(sql))
    try:
        connection.execute("create table nowhere (a int)")
    except psycopg.Error as caught:
        answer |= failure(caught)
    connection.rollback()
    return answer


def copy_out(connection, _way, sql):
    with connection.cursor().copy(sql) as copy:
        return {"rows": [list(row) for row in copy.rows()]}


def copy_in(connection, _way, sql, *values):
    connection.execute("create temp table watch (address inet)")
    with connection.cursor().copy("copy watch from stdin (format binary)") as copy:
        copy.set_types(["inet"])
        for value in values:
            copy.write_row([ipaddress.ip_address(value)])
    return fetched(connection.execute(sql))


kept = connect()
for line in sys.stdin:
    kind, way, *rest = line.rstrip("\n").split("\t")
    try:
        check = globals()[kind.replace("-", "_")]
        if kind in ("rows", "error"):
            answer = check(kept, way, *rest)
        else:
            with connect() as fresh:
                answer = check(fresh, way, *rest)
    except Exception as unexpected:
        answer = {"threw": repr(unexpected)}
    print(json.dumps(answer), flush=True)
