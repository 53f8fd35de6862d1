// pgjdbc: answers each check of its standard input with a line of JSON.

import java.io.*;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

public class Client {
  static String port, authority, stranger;
  static Connection simple;

  static Connection connect(String host, String... more) throws SQLException {
    String base = "jdbc:postgresql://" + host + ":" + port + "/" + System.getenv("PGDATABASE");
    Properties properties = new Properties();
    properties.put("user", System.getenv("PGUSER"));
    properties.put("password", System.getenv("PGPASSWORD"));
    for (int n = 0; n < more.length; n += 2) properties.put(more[n], more[n + 1]);
    return DriverManager.getConnection(base, properties);
  }

  static Connection plain(String... more) throws SQLException {
    List<String> all = new ArrayList<>(List.of("sslmode", "disable"));
    all.addAll(List.of(more));
    return connect("127.0.0.1", all.toArray(String[]::new));
  }

  static Map<String, Object> answer(Object... pairs) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int n = 0; n < pairs.length; n += 2) map.put((String) pairs[n], pairs[n + 1]);
    return map;
  }

  static Map<String, Object> fetched(ResultSet rows) throws SQLException {
    ResultSetMetaData about = rows.getMetaData();
    int width = about.getColumnCount();
    List<Object> columns = new ArrayList<>(), all = new ArrayList<>();
    for (int n = 1; n <= width; n++)
      columns.add(List.of(about.getColumnName(n), about.getColumnTypeName(n), about.getColumnClassName(n), about.isNullable(n), about.getTableName(n)));
    while (rows.next()) {
      List<Object> row = new ArrayList<>();
      for (int n = 1; n <= width; n++) row.add(Objects.toString(rows.getObject(n), null));
      all.add(row);
    }
    return answer("columns", columns, "rows", all);
  }

  static Map<String, Object> failure(SQLException error) {
    return answer("code", error.getSQLState(), "message", error.getMessage());
  }

  static Map<String, Object> failing(Connection connection, Statement statement, String sql) throws SQLException {
    Map<String, Object> told = null;
    try {
      statement.execute(sql);
    } catch (SQLException error) {
      told = failure(error);
    }
    try (ResultSet one = connection.createStatement().executeQuery("select 1")) {
      one.next();
      return answer("error", told, "after", one.getString(1));
    }
  }

  static int pidOf(Connection connection) throws SQLException {
    return connection.unwrap(PGConnection.class).getBackendPID();
  }

  static void asleep(int pid) throws Exception {
    try (Connection other = plain(); PreparedStatement sleeping =
        other.prepareStatement("select from pg_stat_activity where pid = ? and wait_event = 'PgSleep'")) {
      sleeping.setInt(1, pid);
      while (!sleeping.executeQuery().next()) Thread.sleep(20);
    }
  }

  static Map<String, Object> rows(Connection connection, String way, String sql) throws SQLException {
    switch (way) {
      case "pages of 3" -> {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
          statement.setFetchSize(3);
          return fetched(statement.executeQuery(sql));
        } finally {
          connection.rollback();
          connection.setAutoCommit(true);
        }
      }
      case "named and binary" -> {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
          statement.unwrap(org.postgresql.PGStatement.class).setPrepareThreshold(-1);
          statement.executeQuery();
          return fetched(statement.executeQuery());
        }
      }
      case "simple" -> {
        if (simple == null) simple = plain("preferQueryMode", "simple");
        return fetched(simple.createStatement().executeQuery(sql));
      }
      default -> {
        return fetched(connection.createStatement().executeQuery(sql));
      }
    }
  }

  /** As DBeaver, Metabase and Tableau ask for it. */
  static Map<String, Object> catalog(Connection connection) throws SQLException {
    DatabaseMetaData data = connection.getMetaData();
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("tables", only(data.getTables(null, "public", "%", new String[] {"TABLE", "VIEW", "FOREIGN TABLE", "MATERIALIZED VIEW"}), 2, 3, 4, 5));
    told.put("columns", only(data.getColumns(null, "public", "%", "%"), 3, 4, 5, 6, 7, 9, 11, 12, 13, 17, 18));
    told.put("keys", only(data.getPrimaryKeys(null, "public", "abuseipdb_check_ip"), 3));
    told.put("indexes", only(data.getIndexInfo(null, "public", "abuseipdb_check_ip", false, true), 3));
    told.put("imported", only(data.getImportedKeys(null, "public", "guardduty_finding"), 3));
    told.put("privileges", only(data.getColumnPrivileges(null, "source", "none", "%"), 3));
    told.put("types", only(data.getTypeInfo(), 1).size() > 50);
    told.put("types of tables", only(data.getTableTypes(), 1));
    told.put("product", List.of(data.getDatabaseProductName(), data.getDatabaseProductVersion(), data.getUserName()));
    return told;
  }

  static List<Object> only(ResultSet rows, int... columns) throws SQLException {
    List<Object> all = new ArrayList<>();
    while (rows.next()) {
      List<Object> row = new ArrayList<>();
      for (int column : columns) row.add(rows.getString(column));
      all.add(row);
    }
    return all;
  }

  static Map<String, Object> check(Connection connection, String kind, String way, String sql, List<String> values)
      throws Exception {
    switch (kind) {
      case "rows":
        return rows(connection, way, sql);
      case "prepared": {
        // From the fifth time on by a name of its own, and what comes is binary.
        List<Object> all = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
          for (int n = 0; n < 10; n++) {
            statement.setObject(1, values.get(n % values.size()), Types.OTHER);
            all.add(fetched(statement.executeQuery()).get("rows"));
          }
        }
        try (ResultSet named = connection.createStatement().executeQuery("select count(*) > 0 from pg_prepared_statements")) {
          named.next();
          return answer("rows", all, "named", named.getBoolean(1));
        }
      }
      case "long": {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
          statement.setFetchSize(5000);
          ResultSet rows = statement.executeQuery(sql);
          int last = rows.getMetaData().getColumnCount();
          long count = 0, sum = 0;
          while (rows.next()) {
            count++;
            sum += rows.getLong(last);
          }
          return answer("count", count, "sum", sum);
        }
      }
      case "error":
        return failing(connection, connection.createStatement(), sql);
      case "cancel": {
        Statement statement = connection.createStatement();
        int pid = pidOf(connection);
        Thread canceller = new Thread(() -> {
          try {
            asleep(pid);
            statement.cancel();
          } catch (Exception error) {
            error.printStackTrace();
          }
        });
        canceller.start();
        Map<String, Object> told = failing(connection, statement, sql);
        canceller.join();
        return told;
      }
      case "timeout": {
        // The server's, and then the driver's own, which is a CancelRequest.
        connection.createStatement().execute("set statement_timeout = 1000");
        Map<String, Object> told = failing(connection, connection.createStatement(), sql);
        connection.createStatement().execute("set statement_timeout = 0");
        Statement statement = connection.createStatement();
        statement.setQueryTimeout(1);
        told.put("driver", failing(connection, statement, sql));
        return told;
      }
      case "terminated": {
        try (Connection other = plain(); PreparedStatement end = other.prepareStatement("select pg_terminate_backend(?, 60000)")) {
          end.setInt(1, pidOf(connection));
          end.execute();
        }
        String code = null;
        try {
          connection.createStatement().execute(sql);
        } catch (SQLException error) {
          code = error.getSQLState();
        }
        try (Connection again = plain()) {
          Map<String, Object> told = fetched(again.createStatement().executeQuery(sql));
          told.put("error", code);
          told.put("valid", List.of(connection.isValid(5), again.isValid(5)));
          return told;
        }
      }
      case "tls":
        try (Connection secure = connect("localhost", "sslmode", "verify-full", "sslrootcert", authority)) {
          return fetched(secure.createStatement().executeQuery(sql));
        }
      case "untrusted":
        try (Connection secure = connect("localhost", "sslmode", "verify-full", "sslrootcert", stranger)) {
          return answer("refused", secure.isClosed());
        } catch (SQLException error) {
          return answer("refused", error.getSQLState());
        }
      case "read-only": {
        connection.setReadOnly(true);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        connection.setAutoCommit(false);
        connection.createStatement().execute("select 1");
        Statement statement = connection.createStatement();
        statement.setFetchSize(3);
        Map<String, Object> told = fetched(statement.executeQuery(sql));
        try {
          connection.createStatement().execute("create table nowhere (a int)");
        } catch (SQLException error) {
          told.put("error", failure(error));
        }
        connection.rollback();
        return told;
      }
      case "copy-out": {
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        new CopyManager(connection.unwrap(org.postgresql.core.BaseConnection.class)).copyOut(sql, lines);
        return answer("lines", List.of(lines.toString(StandardCharsets.UTF_8).split("\n")));
      }
      case "copy-in": {
        connection.createStatement().execute("create temp table watch (address inet)");
        CopyManager copying = new CopyManager(connection.unwrap(org.postgresql.core.BaseConnection.class));
        copying.copyIn("copy watch from stdin", new StringReader(String.join("\n", values) + "\n"));
        return fetched(connection.createStatement().executeQuery(sql));
      }
      case "catalog":
        return catalog(connection);
      default:
        throw new IllegalArgumentException(kind);
    }
  }

  static String json(Object value) {
    if (value == null || value instanceof Boolean || value instanceof Number) return String.valueOf(value);
    StringJoiner inside;
    if (value instanceof Map<?, ?> map) {
      inside = new StringJoiner(",", "{", "}");
      map.forEach((key, part) -> inside.add(json(key) + ":" + json(part)));
      return inside.toString();
    }
    if (value instanceof Collection<?> list) {
      inside = new StringJoiner(",", "[", "]");
      list.forEach(part -> inside.add(json(part)));
      return inside.toString();
    }
    StringBuilder text = new StringBuilder("\"");
    for (char c : value.toString().toCharArray()) {
      if (c == '"' || c == '\\') text.append('\\').append(c);
      else if (c < ' ') text.append(String.format("\\u%04x", (int) c));
      else text.append(c);
    }
    return text.append('"').toString();
  }

  public static void main(String[] words) throws Exception {
    port = words[0];
    authority = words[1];
    stranger = words[2];
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    Set<String> onOne = Set.of("rows", "error", "catalog");
    try (Connection kept = plain()) {
      for (String line; (line = lines.readLine()) != null; ) {
        List<String> parts = List.of(line.split("\t", -1));
        Map<String, Object> told;
        Connection connection = onOne.contains(parts.get(0)) ? kept : plain();
        try {
          told = check(connection, parts.get(0), parts.get(1), parts.get(2), parts.subList(3, parts.size()));
        } catch (Exception error) {
          told = answer("threw", error.toString());
        }
        if (connection != kept) connection.close();
        out.println(json(told));
      }
    }
  }
}
