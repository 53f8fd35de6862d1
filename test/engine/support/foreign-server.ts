import { chown, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { findBinaries } from '../../../src/engine/embedded/binaries.ts';
import { clearPidFile, configure, ensureCluster, setPassword } from '../../../src/engine/embedded/cluster.ts';
import { openLogFile } from '../../../src/engine/embedded/log-file.ts';
import { startServer } from '../../../src/engine/embedded/server.ts';
import { makeSocketDirectory } from '../../../src/engine/embedded/socket-directory.ts';
import { engineUser } from '../../../src/engine/embedded/system-user.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface ForeignServer {
  readonly port: number;
  readonly socketDirectory: string;
  readonly password: string;
  /** Of the server's certificate, which is its own authority; undefined where it has no TLS. */
  readonly certificateFile: string | undefined;
  /** By default SIGKILL: its backends follow it. SIGINT is a fast shutdown, SIGQUIT an immediate one. */
  kill(signal?: 'SIGKILL' | 'SIGINT' | 'SIGQUIT'): Promise<void>;
  /** After it has ended. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A PostgreSQL that somebody else runs: on a loopback TCP port and a Unix socket, its superuser is `postgres`. */
export async function startForeignServer(
  options: { tls?: boolean; maxConnections?: number } = {},
): Promise<ForeignServer> {
  const directory = await temporaryDirectory();
  const user = await engineUser([]);
  const binaries = await findBinaries(directory, user);
  const cluster = join(directory, 'cluster');
  await ensureCluster(cluster, binaries, user);
  const socketDirectory = await makeSocketDirectory(directory, user);
  await configure(
    cluster,
    { socketDirectory: socketDirectory.path, maxConnections: options.maxConnections ?? 60 },
    user,
  );
  const port = await freePort();
  // Later lines win; the socket's name follows the port.
  const lines = [`include '${join(cluster, 'postgresql.conf')}'`, "listen_addresses = '127.0.0.1'", `port = ${port}`];
  let certificateFile: string | undefined;
  if (options.tls === true) {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keySize: 2048,
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    certificateFile = join(directory, 'server.crt');
    await writeFile(certificateFile, cert, { mode: 0o644 });
    await writeFile(join(directory, 'server.key'), key, { mode: 0o600 });
    if (user.other) await chown(join(directory, 'server.key'), user.uid, user.gid);
    lines.push('ssl = on', `ssl_cert_file = '${certificateFile}'`, `ssl_key_file = '${join(directory, 'server.key')}'`);
  }
  await writeFile(join(directory, 'foreign.conf'), lines.join('\n'), { mode: 0o644 });
  await writeFile(
    join(cluster, 'pg_hba.conf'),
    'local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n',
  );
  const password = 'a made-up password';
  await setPassword(cluster, binaries, password, user);
  const log = openLogFile(join(directory, 'log'));
  const start = () =>
    startServer(cluster, { ...binaries }, socketDirectory, log, user, [
      '-c',
      `config_file=${join(directory, 'foreign.conf')}`,
    ]);
  let server = await start();
  return {
    port,
    socketDirectory: socketDirectory.path,
    password,
    certificateFile,
    async kill(signal = 'SIGKILL') {
      process.kill(server.pid, signal);
      await server.exited;
    },
    async restart() {
      await clearPidFile(cluster);
      server = await start();
    },
    async stop() {
      await server.stop();
      log.close();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
