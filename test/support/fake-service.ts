import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
}

/** An HTTP service on loopback that answers as a test says and remembers what it was asked. */
export interface FakeService {
  /** `127.0.0.1:12345` */
  readonly host: string;
  readonly received: Received[];
  answer: (request: Received, response: ServerResponse) => void;
  close(): Promise<void>;
}

export async function startFakeService(answer: FakeService['answer'] = notFound): Promise<FakeService> {
  const received: Received[] = [];
  const service = { received, answer };
  const server = createServer((request, response) => {
    const one = { target: request.url ?? '', headers: request.headers };
    received.push(one);
    service.answer(one, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(service, {
    host: `127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

export function notFound(_request: Received, response: ServerResponse): void {
  response.writeHead(404).end();
}

export function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
