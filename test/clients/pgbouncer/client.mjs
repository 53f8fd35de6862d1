// pgbouncer before the server, in a mode of its own: another client's program runs through it.
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [mode, ...rest] = process.argv.slice(2);
const [authority, stranger] = rest.slice(-2);
const program = rest.slice(0, -3);
const target = rest.at(-3);
const { PGUSER, PGPASSWORD, PGDATABASE } = process.env;

const directory = mkdtempSync(join(tmpdir(), 'trailhound-pgbouncer-'));
chmodSync(directory, 0o755);
const port = await new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port: free } = server.address();
    server.close(() => resolve(free));
  });
});
writeFileSync(join(directory, 'users'), `"${PGUSER}" "${PGPASSWORD}"\n`, { mode: 0o644 });
writeFileSync(
  join(directory, 'pgbouncer.ini'),
  `[databases]
${PGDATABASE} = host=127.0.0.1 port=${target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${directory}/users
pool_mode = ${mode}
ignore_startup_parameters = extra_float_digits
`,
  { mode: 0o644 },
);
// It refuses to run as root.
const user = process.getuid() === 0 ? ['-u', 'nobody'] : [];
const pooler = spawn('pgbouncer', ['-q', ...user, join(directory, 'pgbouncer.ini')], { stdio: 'ignore' });
try {
  const accepts = () =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
  while (pooler.exitCode === null && !(await accepts())) await sleep(20);
  const [name, ...words] = program;
  const child = spawn(name, [...words, String(port), authority, stranger], { stdio: 'inherit' });
  process.exitCode = await new Promise((resolve) => child.on('close', resolve));
} finally {
  pooler.kill('SIGTERM');
  rmSync(directory, { recursive: true });
}
