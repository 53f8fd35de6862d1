import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { fastify, type FastifyInstance } from 'fastify';

export interface HttpServerOptions {
  /** Undefined: statements can be run; else what is missing. */
  notReady(): Promise<string | undefined>;
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Of the metrics, by HTTP's Basic scheme, for readers beyond loopback. */
  readonly user: string;
  readonly password: string;
}

/**
 * `/healthz`: the process lives. `/readyz`: it can run statements. `/metrics`: Prometheus's text format, without
 * password on loopback.
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const server = fastify({ logger: false, forceCloseConnections: true });
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const reason = await options.notReady();
    if (reason === undefined) return { status: 'ready' };
    return reply.code(503).send({ status: 'not ready', reason });
  });
  server.get('/metrics', async (request, reply) => {
    if (!isLoopback(request.ip) && !mayRead(request.headers.authorization, options)) {
      return reply
        .code(401)
        .header('www-authenticate', 'Basic realm="trailhound"')
        .send({ status: 'password required' });
    }
    const { contentType, body } = await options.metrics();
    return reply.type(contentType).send(body);
  });
  return server;
}

export function isLoopback(address: string): boolean {
  const ipv4 = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return address === '::1' || (isIP(ipv4) === 4 && ipv4.startsWith('127.'));
}

function mayRead(authorization: string | undefined, { user, password }: HttpServerOptions): boolean {
  const given = /^Basic\s+([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (given === undefined) return false;
  // Hashes are of equal length, which the comparison in constant time needs.
  return timingSafeEqual(digest(Buffer.from(given, 'base64').toString()), digest(`${user}:${password}`));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
