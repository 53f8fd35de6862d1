"""SQLAlchemy over psycopg2, as Superset has it: answers each check of its standard input with a line of JSON."""

import json
import os
import sys

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

port, authority, stranger = sys.argv[1:]


def engine(host="127.0.0.1", **arguments):
    user, password, database = (os.environ[name] for name in ("PGUSER", "PGPASSWORD", "PGDATABASE"))
    url = f"postgresql+psycopg2://{user}:{password}@{host}:{port}/{database}"
    return create_engine(url, pool_pre_ping=True, connect_args={"sslmode": "disable"} | arguments)


def fetched(result):
    columns = list(result.keys())
    return {"columns": columns, "rows": [[None if v is None else repr(v) for v in row] for row in result]}


def rows(pool, way, sql):
    with pool.connect().execution_options(stream_results=way == "streamed", max_row_buffer=5) as connection:
        return fetched(connection.execute(text(sql)))


def prepared(pool, _way, sql, *values):
    with pool.connect() as connection:
        each = [fetched(connection.execute(text(sql), {"v1": values[n % len(values)]})) for n in range(10)]
    return {"rows": [answer["rows"] for answer in each]}


def long(pool, _way, sql):
    count = total = 0
    with pool.connect().execution_options(stream_results=True) as connection:
        for row in connection.execute(text(sql)):
            count += 1
            total += row[-1]
    return {"count": count, "sum": total}


def failing(connection, sql):
    try:
        connection.execute(text(sql))
    except DBAPIError as caught:
        told = {"code": caught.orig.pgcode, "message": caught.orig.diag.message_primary}
        connection.execution_options(isolation_level="AUTOCOMMIT")
        return {"error": told, "after": str(connection.execute(text("select 1")).scalar())}


def error(pool, _way, sql):
    with pool.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return failing(connection, sql)


def timeout(pool, _way, sql):
    with pool.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("set statement_timeout = 1000"))
        return failing(connection, sql)


def terminated(pool, _way, sql):
    """What its pool finds dead it replaces."""
    with pool.connect() as connection:
        pid = connection.execute(text("select pg_backend_pid()")).scalar()
    with engine().connect() as other:
        other.execute(text("select pg_terminate_backend(:pid, 60000)"), {"pid": pid})
    with pool.connect() as connection:
        other = connection.execute(text("select pg_backend_pid()")).scalar()
        return fetched(connection.execute(text(sql))) | {"other": other != pid}


def tls(_pool, _way, sql):
    with engine("localhost", sslmode="verify-full", sslrootcert=authority).connect() as connection:
        return fetched(connection.execute(text(sql)))


def untrusted(_pool, _way, _sql):
    try:
        engine("localhost", sslmode="verify-full", sslrootcert=stranger).connect()
    except DBAPIError as caught:
        return {"refused": "certificate verify failed" in str(caught)}


def read_only(pool, _way, sql):
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with pool.connect().execution_options(**options) as connection:
        connection.execute(text("select 1"))
        answer = fetched(connection.execute(text(sql)))
        try:
            connection.execute(text("create table nowhere (a int)"))
        except DBAPIError as caught:
            answer["code"] = caught.orig.pgcode
        return answer


def catalog(pool, _way, _sql):
    about = inspect(pool)
    told = {"tables": about.get_table_names("public"), "views": sorted(about.get_view_names("public"))}
    for view in told["views"]:
        told[view] = {
            "columns": [{key: str(value) for key, value in column.items()} for column in about.get_columns(view, "public")],
            "comment": about.get_table_comment(view, "public"),
            "key": about.get_pk_constraint(view, "public"),
            "foreign keys": about.get_foreign_keys(view, "public"),
            "indexes": about.get_indexes(view, "public"),
            "unique": about.get_unique_constraints(view, "public"),
            "checks": about.get_check_constraints(view, "public"),
            "defined": about.get_view_definition(view, "public"),
        }
    return told


for line in sys.stdin:
    kind, way, *rest = line.rstrip("\n").split("\t")
    pool = engine()
    try:
        answer = globals()[kind.replace("-", "_")](pool, way, *rest)
    except Exception as unexpected:
        answer = {"threw": repr(unexpected)}
    pool.dispose()
    print(json.dumps(answer), flush=True)
