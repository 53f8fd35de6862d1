// lib/pq by database/sql: answers each check of its standard input with a line of JSON.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/lib/pq"
)

type answer map[string]any

var (
	ctx                       = context.Background()
	port, authority, stranger = os.Args[1], os.Args[2], os.Args[3]
	plain                     = "host=127.0.0.1 sslmode=disable port=" + port
	ways                      = map[string]*sql.DB{
		"simple":            open(plain),
		"binary parameters": open(plain + " binary_parameters=yes"),
	}
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func open(where string) *sql.DB {
	pool := must(sql.Open("postgres", where))
	pool.SetMaxOpenConns(1)
	return pool
}

func fetched(rows *sql.Rows, err error) answer {
	must(rows, err)
	defer rows.Close()
	columns, values := []string{}, [][]string{}
	types := must(rows.ColumnTypes())
	for _, column := range types {
		columns = append(columns, column.Name()+" "+column.DatabaseTypeName())
	}
	for rows.Next() {
		row, places := make([]any, len(types)), make([]any, len(types))
		for n := range row {
			places[n] = &row[n]
		}
		must(0, rows.Scan(places...))
		texts := []string{}
		for _, value := range row {
			if bytes, ok := value.([]byte); ok {
				value = string(bytes)
			}
			texts = append(texts, fmt.Sprintf("%T %v", value, value))
		}
		values = append(values, texts)
	}
	must(0, rows.Err())
	return answer{"columns": columns, "rows": values}
}

func failure(err error) answer {
	var told *pq.Error
	if errors.As(err, &told) {
		return answer{"code": string(told.Code), "message": told.Message, "position": told.Position}
	}
	return answer{"message": fmt.Sprint(err)}
}

func failing(pool *sql.DB, ctx context.Context, statement string) answer {
	_, err := pool.ExecContext(ctx, statement)
	var after int
	must(0, pool.QueryRow("select 1").Scan(&after))
	return answer{"error": failure(err), "after": fmt.Sprint(after)}
}

func pidOf(pool *sql.DB) (pid int) {
	must(0, pool.QueryRow("select pg_backend_pid()").Scan(&pid))
	return pid
}

func asleep(pid int) {
	other := open(plain)
	defer other.Close()
	for count := 0; count == 0; time.Sleep(20 * time.Millisecond) {
		sleeping := "select count(*) from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'"
		must(0, other.QueryRow(sleeping, pid).Scan(&count))
	}
}

func secure(certificate string) *sql.DB {
	return open("host=localhost sslmode=verify-full port=" + port + " sslrootcert=" + certificate)
}

func answerTo(pool *sql.DB, kind, way, statement string, values []string) answer {
	switch kind {
	case "rows":
		return fetched(ways[way].Query(statement))
	case "prepared":
		prepared := must(pool.Prepare(statement))
		rows := []any{}
		for n := range 10 {
			value := values[n%len(values)]
			rows = append(rows, fetched(prepared.Query(value))["rows"])
			// Described in one round trip, bound in the next.
			rows = append(rows, fetched(pool.Query(statement, value))["rows"])
		}
		return answer{"rows": rows}
	case "long":
		rows := must(pool.Query(statement))
		defer rows.Close()
		count, sum := 0, int64(0)
		for rows.Next() {
			var id, agent sql.NullString
			var number int64
			must(0, rows.Scan(&id, &agent, &number))
			count, sum = count+1, sum+number
		}
		return answer{"count": count, "sum": sum}
	case "error":
		return failing(ways["simple"], ctx, statement)
	case "cancel":
		pid := pidOf(pool)
		until, cancel := context.WithCancel(ctx)
		go func() {
			asleep(pid)
			cancel()
		}()
		return failing(pool, until, statement)
	case "timeout":
		must(pool.Exec("set statement_timeout = 1000"))
		return failing(pool, ctx, statement)
	case "terminated":
		pid := pidOf(pool)
		other := open(plain)
		defer other.Close()
		must(other.Exec("select pg_terminate_backend($1, 60000)", pid))
		// Its pool connects anew by itself, at the second try where the first one finds the connection closed.
		if _, err := pool.Exec(statement); err != nil {
			must(pool.Exec(statement))
		}
		result := fetched(pool.Query(statement))
		result["other"] = pidOf(pool) != pid
		return result
	case "tls":
		encrypted := secure(authority)
		defer encrypted.Close()
		return fetched(encrypted.Query(statement))
	case "untrusted":
		err := secure(stranger).Ping()
		return answer{"refused": strings.Contains(fmt.Sprint(err), "x509")}
	case "read-only":
		options := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
		transaction := must(pool.BeginTx(ctx, options))
		defer transaction.Rollback()
		must(transaction.Exec("select 1"))
		result := fetched(transaction.Query(statement))
		_, err := transaction.Exec("create table nowhere (a int)")
		result["error"] = failure(err)
		return result
	case "copy-in":
		transaction := must(pool.Begin())
		defer transaction.Rollback()
		must(transaction.Exec("create temp table watch (address inet)"))
		copying := must(transaction.Prepare(pq.CopyIn("watch", "address")))
		for _, value := range values {
			must(copying.Exec(value))
		}
		must(copying.Exec())
		must(0, copying.Close())
		return fetched(transaction.Query(statement))
	}
	return answer{"threw": "unknown kind " + kind}
}

func safely(pool *sql.DB, words []string) (result answer) {
	defer func() {
		if reason := recover(); reason != nil {
			result = answer{"threw": fmt.Sprint(reason)}
		}
	}()
	return answerTo(pool, words[0], words[1], words[2], words[3:])
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		pool := open(plain)
		line := must(json.Marshal(safely(pool, strings.Split(lines.Text(), "\t"))))
		fmt.Println(string(line))
		pool.Close()
	}
}
