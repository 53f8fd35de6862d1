"""psqlODBC by pyodbc: answers each check of its standard input with a line of JSON."""

import json
import os
import sys
import threading
import time

import pyodbc

pyodbc.pooling = False
port, authority, stranger = sys.argv[1:]


def connect(more="SSLmode=disable", host="127.0.0.1"):
    user, password, database = (os.environ[name] for name in ("PGUSER", "PGPASSWORD", "PGDATABASE"))
    login = f"UID={user};PWD={password};DATABASE={database}"
    return pyodbc.connect(f"DRIVER=PostgreSQL Unicode;SERVER={host};PORT={port};{login};{more}", autocommit=True)


def fetched(cursor):
    columns = [[column[0], column[1].__name__, *column[2:]] for column in cursor.description]
    return {"columns": columns, "rows": [[None if v is None else repr(v) for v in row] for row in cursor]}


def rows(connection, way, sql):
    if way == "whole":
        return fetched(connection.execute(sql))
    answer = fetched(connect("SSLmode=disable;UseDeclareFetch=1;Fetch=3").execute(sql))
    # Through us a FETCH names no table, and the driver guesses from the rows how wide lists and JSON are.
    return answer | {"columns": [column[:2] for column in answer["columns"]]}


def prepared(connection, _way, sql, *values):
    cursor = connection.cursor()
    return {"rows": [fetched(cursor.execute(sql, values[n % len(values)]))["rows"] for n in range(10)]}


def long(_connection, _way, sql):
    count = total = 0
    for row in connect("SSLmode=disable;UseDeclareFetch=1;Fetch=5000").execute(sql):
        count += 1
        total += row[-1]
    return {"count": count, "sum": total}


def failing(connection, cursor, sql):
    try:
        cursor.execute(sql)
    except pyodbc.Error as caught:
        return {"error": {"code": caught.args[0], "message": caught.args[1]}, "after": str(connection.execute("select 1").fetchval())}


def error(connection, _way, sql):
    return failing(connection, connection.cursor(), sql)


def cancel(connection, _way, sql):
    pid = connection.execute("select pg_backend_pid()").fetchval()
    cursor = connection.cursor()

    def soon():
        other = connect()
        while not other.execute(f"select 1 from pg_stat_activity where pid = {pid} and wait_event = 'PgSleep'").fetchall():
            time.sleep(0.02)
        cursor.cancel()

    thread = threading.Thread(target=soon)
    thread.start()
    answer = failing(connection, cursor, sql)
    thread.join()
    return answer


def timeout(connection, _way, sql):
    connection.execute("set statement_timeout = 1000")
    return failing(connection, connection.cursor(), sql)


def terminated(connection, _way, sql):
    pid = connection.execute("select pg_backend_pid()").fetchval()
    connect().execute(f"select pg_terminate_backend({pid}, 60000)").fetchall()
    try:
        connection.execute(sql)
        answer = {}
    except pyodbc.Error as caught:
        answer = {"code": caught.args[0]}
    return answer | fetched(connect().execute(sql))


def tls(_connection, _way, sql):
    return fetched(connect(f"SSLmode=verify-full;pqopt={{sslrootcert={authority}}}", "localhost").execute(sql))


def untrusted(_connection, _way, _sql):
    try:
        connect(f"SSLmode=verify-full;pqopt={{sslrootcert={stranger}}}", "localhost")
    except pyodbc.Error as caught:
        return {"refused": "certificate verify failed" in str(caught)}


def read_only(connection, _way, sql):
    connection.execute("set session characteristics as transaction isolation level repeatable read read only")
    connection.autocommit = False
    connection.execute("select 1")
    answer = fetched(connection.execute(sql))
    try:
        connection.execute("create table nowhere (a int)")
    except pyodbc.Error as caught:
        answer["code"] = caught.args[0]
    connection.rollback()
    return answer


def catalog(connection, _way, _sql):
    tables = [list(row) for row in connection.cursor().tables(schema="public")]
    columns = [[repr(value) for value in row[1:]] for row in connection.cursor().columns(schema="public")]
    # The table's own oid, among what the driver adds.
    kept = [[value for n, value in enumerate(row) if n not in (0, 21)] for row in columns]
    keys = [list(row) for row in connection.cursor().primaryKeys("guardduty_finding", schema="public")]
    return {"tables": tables, "columns": kept, "keys": keys}


for line in sys.stdin:
    kind, way, *rest = line.rstrip("\n").split("\t")
    fresh = connect()
    try:
        answer = globals()[kind.replace("-", "_")](fresh, way, *rest)
    except Exception as unexpected:
        answer = {"threw": repr(unexpected)}
    print(json.dumps(answer, default=str), flush=True)
