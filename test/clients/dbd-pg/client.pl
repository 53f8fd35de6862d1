# DBD::Pg: answers each check of its standard input with a line of JSON.
use strict;
use warnings;
use DBI;
use DBD::Pg qw(:async);
use JSON::PP;
use Time::HiRes qw(sleep);

$| = 1;
my ($port, $authority, $stranger) = @ARGV;
my $json = JSON::PP->new->canonical->ascii;

sub opened {
  my ($where, %more) = @_;
  my %options = (RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1, %more);
  return DBI->connect("dbi:Pg:dbname=$ENV{PGDATABASE};port=$port;$where", $ENV{PGUSER}, $ENV{PGPASSWORD}, \%options);
}

sub plain { return opened('host=127.0.0.1;sslmode=disable', @_) }

sub fetched {
  my ($statement) = @_;
  my ($names, $types) = ($statement->{NAME}, $statement->{pg_type});
  return {columns => $names, types => $types, rows => $statement->fetchall_arrayref};
}

sub run {
  my ($dbh, $sql, @values) = @_;
  my $statement = $dbh->prepare($sql);
  $statement->execute(@values);
  return fetched($statement);
}

sub failing {
  my ($dbh, $sql) = @_;
  eval { $dbh->do($sql) };
  my $told = {code => $dbh->state, message => (split /\n/, $dbh->errstr)[0]};
  return {error => $told, after => '' . $dbh->selectrow_array('select 1')};
}

sub asleep {
  my ($pid) = @_;
  my $other = plain();
  my $sleeping = "select count(*) from pg_stat_activity where pid = ? and wait_event = 'PgSleep'";
  sleep 0.02 until ($other->selectrow_array($sleeping, undef, $pid))[0];
}

my %kinds = (
  rows => sub {
    my ($dbh, $way, $sql) = @_;
    $dbh->{pg_server_prepare} = $way eq 'prepared' ? 1 : 0;
    return run($dbh, $sql);
  },
  prepared => sub {
    my ($dbh, $way, $sql, @values) = @_;
    my $statement = $dbh->prepare($sql);
    my @rows;
    for my $n (0 .. 9) {
      $statement->execute($values[$n % @values]);
      push @rows, $statement->fetchall_arrayref;
    }
    return {rows => \@rows, named => $dbh->selectrow_array('select count(*) from pg_prepared_statements')};
  },
  long => sub {
    my ($dbh, $way, $sql) = @_;
    my $statement = $dbh->prepare($sql);
    $statement->execute;
    my ($count, $sum) = (0, 0);
    while (my $row = $statement->fetch) { $count++; $sum += $row->[-1] }
    return {count => $count, sum => $sum};
  },
  error => sub { my ($dbh, $way, $sql) = @_; return failing($dbh, $sql) },
  cancel => sub {
    my ($dbh, $way, $sql) = @_;
    $dbh->do($sql, {pg_async => PG_ASYNC});
    asleep($dbh->{pg_pid});
    return {cancelled => $dbh->pg_cancel ? 1 : 0, after => $dbh->selectrow_array('select 1')};
  },
  timeout => sub {
    my ($dbh, $way, $sql) = @_;
    $dbh->do('set statement_timeout = 1000');
    return failing($dbh, $sql);
  },
  terminated => sub {
    my ($dbh, $way, $sql) = @_;
    plain()->do("select pg_terminate_backend($dbh->{pg_pid}, 60000)");
    eval { $dbh->do($sql) };
    return {%{run(plain(), $sql)}, state => $dbh->state, ping => $dbh->ping ? 1 : 0};
  },
  tls => sub {
    my ($dbh, $way, $sql) = @_;
    return run(opened("host=localhost;sslmode=verify-full;sslrootcert=$authority"), $sql);
  },
  untrusted => sub {
    eval { opened("host=localhost;sslmode=verify-full;sslrootcert=$stranger") };
    return {refused => $@ =~ /certificate verify failed/ ? 1 : 0};
  },
  'read-only' => sub {
    my ($dbh, $way, $sql) = @_;
    $dbh->{AutoCommit} = 0;
    $dbh->{ReadOnly} = 1;
    $dbh->do('set transaction isolation level repeatable read');
    my $told = run($dbh, $sql);
    eval { $dbh->do('create table nowhere (a int)') };
    $told->{code} = $dbh->state;
    $dbh->rollback;
    return $told;
  },
  'copy-out' => sub {
    my ($dbh, $way, $sql) = @_;
    $dbh->do($sql);
    my ($line, @lines) = ('');
    push @lines, $line while $dbh->pg_getcopydata($line) >= 0;
    return {lines => \@lines};
  },
  'copy-in' => sub {
    my ($dbh, $way, $sql, @values) = @_;
    $dbh->do('create temp table watch (address inet)');
    $dbh->do('copy watch from stdin');
    $dbh->pg_putcopydata("$_\n") for @values;
    $dbh->pg_putcopyend;
    return run($dbh, $sql);
  },
  catalog => sub {
    my ($dbh) = @_;
    my $tables = $dbh->table_info(undef, 'public', '%', 'VIEW')->fetchall_arrayref;
    my $columns = $dbh->column_info(undef, 'public', '%', '%')->fetchall_arrayref([1 .. 11, 16 .. 18]);
    return {tables => $tables, columns => $columns};
  },
);

while (my $line = <STDIN>) {
  chomp $line;
  my ($kind, $way, @rest) = split /\t/, $line;
  my $dbh = plain();
  my $told = eval { $kinds{$kind}->($dbh, $way, @rest) } // {threw => "$@"};
  print $json->encode($told), "\n";
  $dbh->disconnect;
}
