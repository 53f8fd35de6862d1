import net from 'node:net';
import { listenError } from './listen-error.ts';

/** The first port from `from` upwards that nobody listens on. */
export async function freePort(host: string, from: number, taken: readonly number[] = []): Promise<number> {
  for (let port = from; port < 65_536; port += 1) {
    if (!taken.includes(port) && (await isFree(host, port))) return port;
  }
  throw new Error(`no port from ${from} upwards is free`);
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(listenError(error, host, port, '--port'));
    });
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
