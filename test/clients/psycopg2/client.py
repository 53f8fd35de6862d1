"""psycopg2: answers each check of its standard input with a line of JSON."""

import io
import json
import sys
import threading
import time

import psycopg2

port, authority, stranger = sys.argv[1:]


def connect(host="127.0.0.1", **more):
    connection = psycopg2.connect(host=host, port=port, **({"sslmode": "disable"} | more))
    connection.autocommit = True
    return connection


def run(connection, sql, values=None, name=None):
    cursor = connection.cursor(name)
    cursor.execute(sql, values)
    return cursor


def fetched(cursor):
    rows = [[None if value is None else repr(value) for value in row] for row in cursor.fetchall()]
    return {"columns": [[column.name, column.type_code] for column in cursor.description], "rows": rows}


def failure(error):
    return {"code": error.pgcode, "message": error.diag.message_primary, "position": error.diag.statement_position}


def rows(connection, way, sql):
    if way == "client cursor":
        return fetched(run(connection, sql))
    connection.autocommit = False
    try:
        cursor = connection.cursor("named")
        cursor.itersize = 3
        cursor.execute(sql)
        values = [[None if value is None else repr(value) for value in row] for row in cursor]
        return {"columns": [column.name for column in cursor.description], "rows": values}
    finally:
        connection.rollback()
        connection.autocommit = True


def prepared(connection, _way, sql, *values):
    """It prepares nothing: values become literals."""
    return {"rows": [fetched(run(connection, sql, [values[n % len(values)]]))["rows"] for n in range(10)]}


def long(connection, _way, sql):
    connection.autocommit = False
    count = total = 0
    cursor = connection.cursor("long")
    cursor.itersize = 5000
    cursor.execute(sql)
    for row in cursor:
        count += 1
        total += row[-1]
    return {"count": count, "sum": total}


def error(connection, _way, sql):
    try:
        run(connection, sql)
    except psycopg2.Error as caught:
        return {"error": failure(caught), "after": str(run(connection, "select 1").fetchone()[0])}


def pid_of(connection):
    return run(connection, "select pg_backend_pid()").fetchone()[0]


def cancel(connection, way, sql):
    pid = pid_of(connection)

    def soon():
        other = connect()
        sleeping = "select from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"
        while run(other, sleeping, [pid]).rowcount == 0:
            time.sleep(0.02)
        other.close()
        connection.cancel()

    thread = threading.Thread(target=soon)
    thread.start()
    answer = error(connection, way, sql)
    thread.join()
    return answer


def timeout(connection, way, sql):
    run(connection, "set statement_timeout = 1000")
    answer = error(connection, way, sql)
    run(connection, "reset statement_timeout")
    return answer


def terminated(connection, _way, sql):
    other = connect()
    run(other, "select pg_terminate_backend(%s, 60000)", [pid_of(connection)])
    other.close()
    try:
        run(connection, sql)
        answer = {}
    except psycopg2.OperationalError as caught:
        answer = {"code": caught.pgcode, "closed": connection.closed}
    return answer | fetched(run(connect(), sql))


def tls(_connection, _way, sql):
    return fetched(run(connect("localhost", sslmode="verify-full", sslrootcert=authority), sql))


def untrusted(_connection, _way, sql):
    try:
        connect("localhost", sslmode="verify-full", sslrootcert=stranger)
    except psycopg2.OperationalError as caught:
        return {"refused": "certificate verify failed" in str(caught)}


def read_only(connection, _way, sql):
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
    run(connection, "select 1")
    answer = fetched(run(connection, sql))
    try:
        run(connection, "create table nowhere (a int)")
    except psycopg2.Error as caught:
        answer |= failure(caught)
    connection.rollback()
    return answer


def copy_out(connection, _way, sql):
    lines = io.StringIO()
    connection.cursor().copy_expert(sql, lines)
    return {"lines": lines.getvalue().split("\n")}


def copy_in(connection, _way, sql, *values):
    connection.autocommit = False
    cursor = run(connection, "create temp table watch (address inet) on commit drop")
    cursor.copy_from(io.StringIO("\n".join(values)), "watch")
    cursor.execute(sql)
    return fetched(cursor)


for line in sys.stdin:
    kind, way, *rest = line.rstrip("\n").split("\t")
    fresh = connect()
    try:
        answer = globals()[kind.replace("-", "_")](fresh, way, *rest)
    except Exception as unexpected:
        answer = {"threw": repr(unexpected)}
    fresh.close()
    print(json.dumps(answer), flush=True)
