import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ServiceRequest, ServiceResponse } from './service.ts';

/** Answers one request; never rejects. `gone` is aborted when the client goes away. */
export type Handler = (request: ServiceRequest, reply: Reply, gone: AbortSignal) => Promise<void>;

/** One of them ends the exchange. */
export interface Reply {
  send(response: ServiceResponse): void;
  /** Announces the whole body, sends half of it, closes the connection. */
  sendHalf(response: ServiceResponse): void;
  drop(): void;
}

/** On 127.0.0.1, at a port that the system chooses. */
export async function listen(handler: Handler): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((incoming, outgoing) => {
    void exchange(incoming, outgoing, handler);
  });
  // The client decides how long connections live; ours must not race with its next request.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

export async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

async function exchange(incoming: IncomingMessage, outgoing: ServerResponse, handler: Handler): Promise<void> {
  const gone = new AbortController();
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  let body: string;
  try {
    body = await text(incoming);
  } catch {
    return;
  }
  const request: ServiceRequest = {
    method: incoming.method ?? '',
    url: new URL(incoming.url ?? '/', 'http://simulator'),
    headers: incoming.headers as Readonly<Record<string, string | undefined>>,
    body,
  };
  await handler(request, replyOn(outgoing), gone.signal);
}

function replyOn(outgoing: ServerResponse): Reply {
  const head = (response: ServiceResponse): Buffer => {
    const bytes = Buffer.from(response.body);
    outgoing.writeHead(response.status, { ...response.headers, 'content-length': bytes.length });
    return bytes;
  };
  return {
    send(response) {
      outgoing.end(head(response));
    },
    sendHalf(response) {
      const bytes = head(response);
      outgoing.write(bytes.subarray(0, bytes.length >>> 1), () => outgoing.destroy());
    },
    drop() {
      outgoing.destroy();
    },
  };
}
