// pgx: answers each check of its standard input with a line of JSON.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

type answer map[string]any

var (
	ctx                       = context.Background()
	port, authority, stranger = os.Args[1], os.Args[2], os.Args[3]
	plain                     = "host=127.0.0.1 sslmode=disable port=" + port
	ways                      = map[string]pgx.QueryExecMode{
		"cache_statement": pgx.QueryExecModeCacheStatement,
		"cache_describe":  pgx.QueryExecModeCacheDescribe,
		"describe_exec":   pgx.QueryExecModeDescribeExec,
		"exec":            pgx.QueryExecModeExec,
		"simple_protocol": pgx.QueryExecModeSimpleProtocol,
	}
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func connect() *pgx.Conn { return must(pgx.Connect(ctx, plain)) }

func fetched(rows pgx.Rows, err error) answer {
	result, values := answer{}, [][]string{}
	must(rows, err)
	defer rows.Close()
	for rows.Next() {
		row := []string{}
		for _, value := range must(rows.Values()) {
			row = append(row, fmt.Sprintf("%T %v", value, value))
		}
		values = append(values, row)
	}
	must(rows, rows.Err())
	columns := []string{}
	for _, field := range rows.FieldDescriptions() {
		columns = append(columns, fmt.Sprint(field.Name, " ", field.DataTypeOID))
	}
	result["columns"], result["rows"] = columns, values
	return result
}

func failure(err error) answer {
	var told *pgconn.PgError
	if errors.As(err, &told) {
		return answer{"code": told.Code, "message": told.Message, "position": told.Position}
	}
	return answer{"message": fmt.Sprint(err)}
}

func failing(conn *pgx.Conn, sql string) answer {
	_, err := conn.Exec(ctx, sql)
	var after int
	must(after, conn.QueryRow(ctx, "select 1").Scan(&after))
	return answer{"error": failure(err), "after": fmt.Sprint(after)}
}

func asleep(pid uint32) {
	other := connect()
	defer other.Close(ctx)
	for count := 0; count == 0; time.Sleep(20 * time.Millisecond) {
		sleeping := "select count(*) from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'"
		must(count, other.QueryRow(ctx, sleeping, pid).Scan(&count))
	}
}

func secure(certificate string) (*pgx.Conn, error) {
	return pgx.Connect(ctx, "host=localhost sslmode=verify-full channel_binding=require port="+port+" sslrootcert="+certificate)
}

func answerTo(conn *pgx.Conn, kind, way, sql string, values []string) answer {
	switch kind {
	case "rows":
		return fetched(conn.Query(ctx, sql, ways[way]))
	case "prepared":
		must(conn.Prepare(ctx, "s", sql))
		rows := []any{}
		for n := range 10 {
			rows = append(rows, fetched(conn.Query(ctx, "s", values[n%len(values)]))["rows"])
		}
		// And all at once, under one Sync.
		batch := &pgx.Batch{}
		for _, value := range values {
			batch.Queue(sql, value)
		}
		results := conn.SendBatch(ctx, batch)
		for range values {
			rows = append(rows, fetched(results.Query())["rows"])
		}
		must(rows, results.Close())
		return answer{"rows": rows}
	case "long":
		rows := must(conn.Query(ctx, sql))
		count, sum := 0, int64(0)
		for rows.Next() {
			row := must(rows.Values())
			count, sum = count+1, sum+int64(row[len(row)-1].(int32))
		}
		return answer{"count": count, "sum": sum}
	case "error":
		return failing(conn, sql)
	case "cancel":
		go func() {
			asleep(conn.PgConn().PID())
			must(0, conn.PgConn().CancelRequest(ctx))
		}()
		return failing(conn, sql)
	case "timeout":
		must(conn.Exec(ctx, "set statement_timeout = 1000"))
		return failing(conn, sql)
	case "terminated":
		other := connect()
		defer other.Close(ctx)
		must(other.Exec(ctx, "select pg_terminate_backend($1, 60000)", conn.PgConn().PID()))
		_, err := conn.Exec(ctx, sql)
		again := connect()
		defer again.Close(ctx)
		result := fetched(again.Query(ctx, sql))
		result["error"], result["closed"] = failure(err)["code"], conn.IsClosed()
		return result
	case "tls":
		encrypted := must(secure(authority))
		defer encrypted.Close(ctx)
		return fetched(encrypted.Query(ctx, sql))
	case "untrusted":
		_, err := secure(stranger)
		return answer{"refused": strings.Contains(fmt.Sprint(err), "x509")}
	case "read-only":
		options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
		transaction := must(conn.BeginTx(ctx, options))
		defer transaction.Rollback(ctx)
		must(transaction.Exec(ctx, "select 1"))
		result := fetched(transaction.Query(ctx, sql))
		_, err := transaction.Exec(ctx, "create table nowhere (a int)")
		result["error"] = failure(err)
		return result
	case "copy-out":
		lines := &bytes.Buffer{}
		must(conn.PgConn().CopyTo(ctx, lines, sql))
		return answer{"lines": strings.Split(lines.String(), "\n")}
	case "copy-in":
		must(conn.Exec(ctx, "create temp table watch (address inet)"))
		rows := [][]any{}
		for _, value := range values {
			rows = append(rows, []any{netip.MustParseAddr(value)})
		}
		must(conn.CopyFrom(ctx, pgx.Identifier{"watch"}, []string{"address"}, pgx.CopyFromRows(rows)))
		return fetched(conn.Query(ctx, sql))
	}
	return answer{"threw": "unknown kind " + kind}
}

func safely(conn *pgx.Conn, words []string) (result answer) {
	defer func() {
		if reason := recover(); reason != nil {
			result = answer{"threw": fmt.Sprint(reason)}
		}
	}()
	return answerTo(conn, words[0], words[1], words[2], words[3:])
}

func main() {
	kept := connect()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Split(lines.Text(), "\t")
		conn := kept
		if words[0] != "rows" && words[0] != "error" {
			conn = connect()
		}
		line := must(json.Marshal(safely(conn, words)))
		fmt.Println(string(line))
		if conn != kept {
			conn.Close(ctx)
		}
	}
}
