import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { selfSignedCertificate } from '../../src/session/tls.ts';
import { HttpClient } from '../../src/sources/http/client.ts';
import type { HttpConnection } from '../../src/sources/http/connection.ts';
import type { LookupDefinition } from '../../src/sources/http/definition.ts';
import type { Resolve } from '../../src/sources/http/guarded-connector.ts';
import { httpLookupSource } from '../../src/sources/http/lookup-source.ts';
import { json, notFound, startFakeService, type FakeService } from '../support/fake-service.ts';
import { failure, testContext } from '../support/source-harness.ts';

const SECRET = 'the-made-up-secret';

let service: FakeService;
let other: FakeService;
const clients: HttpClient[] = [];

beforeAll(async () => {
  service = await startFakeService();
  other = await startFakeService();
});
afterAll(async () => {
  await service.close();
  await other.close();
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const one of [service, other]) {
    one.received.length = 0;
    one.answer = notFound;
  }
});

interface Given extends Partial<HttpConnection> {
  readonly allow?: readonly string[];
  readonly allowPrivate?: readonly string[];
  readonly resolve?: Resolve;
}

function client({ allow = [], allowPrivate = [service.host], resolve, ...more }: Given = {}): HttpClient {
  const connection: HttpConnection = {
    name: 'made',
    host: undefined,
    headers: {},
    query: {},
    concurrency: 4,
    requestsPerSecond: undefined,
    quotaPerDay: undefined,
    notFound: [404],
    outOfQuota: [429],
    ttlMs: 0,
    timeoutMs: 2_000,
    maxBytes: 10_000,
    ...more,
  };
  const made = new HttpClient(connection, { allow, allowPrivate }, resolve);
  clients.push(made);
  return made;
}

const DEFINITION: LookupDefinition = {
  id: '1',
  name: 'made',
  urlTemplate: '',
  columns: [
    { name: 'k', type: 'text', key: true },
    { name: 'v', type: 'text', path: '$.v' },
  ],
  connection: 'made',
  rowsAt: undefined,
  moreAt: undefined,
  format: 'json',
  ttlMs: undefined,
};

function ask(key: string, given: Given & { urlTemplate?: string; columns?: LookupDefinition['columns'] } = {}) {
  const { urlTemplate = `http://${service.host}/v1/{k}`, columns = DEFINITION.columns, ...more } = given;
  const source = httpLookupSource({ ...DEFINITION, urlTemplate, columns }, client(more));
  if (source === undefined) throw new Error('the definition cannot be used');
  const asked = { key, inputs: {} };
  const local = source.answerLocally(asked);
  return local === undefined ? source.lookup(asked, [], testContext()) : Promise.resolve(local);
}

describe('a key', () => {
  it.each([
    ['../../admin', '/v1/..%2F..%2Fadmin'],
    ['a?b=c#d', '/v1/a%3Fb%3Dc%23d'],
    ['a\r\nhost: evil', '/v1/a%0D%0Ahost%3A%20evil'],
    ['100%', '/v1/100%25'],
    ['@evil.example', '/v1/%40evil.example'],
    ['ü{k}', '/v1/%C3%BC%7Bk%7D'],
    ['...', '/v1/...'],
  ])('stays in its place: %j', async (key, target) => {
    await ask(key);
    expect(service.received.map((one) => one.target)).toEqual([target]);
    expect(service.received[0]?.headers.host).toBe(service.host);
  });

  it.each(['', '.', '..'])('that would ask for something else has no row, and no call: %j', async (key) => {
    expect(await ask(key)).toEqual([]);
    expect(service.received).toEqual([]);
  });

  it('that no URL can hold fails', async () => {
    expect(await failure(ask('x'.repeat(9_000)))).toMatchObject({ kind: 'invalid_request' });
    expect(service.received).toEqual([]);
  });

  it('that is no public address is not asked for where the table says so', async () => {
    const columns = [{ name: 'k', type: 'inet', key: true, public_only: true }];
    for (const key of ['10.0.0.1', '127.0.0.1', '::1', 'fd00::1', '::ffff:192.168.0.1'])
      expect(await ask(key, { columns })).toEqual([]);
    expect(service.received).toEqual([]);
    await ask('33.44.55.66', { columns });
    expect(service.received).toHaveLength(1);
  });
});

describe('a request', () => {
  it('wants an answer that is not compressed, and has the headers of its connection in the place of its own', async () => {
    await ask('x', { host: service.host, headers: { Accept: 'application/vnd.made+json', 'X-Key': SECRET } });
    const { accept, 'accept-encoding': encoding, 'x-key': key } = service.received[0]?.headers ?? {};
    expect([accept, encoding, key]).toEqual(['application/vnd.made+json', 'identity', SECRET]);
  });
});

describe('a host', () => {
  it.each([
    'http://169.254.169.254/latest/{k}',
    'http://127.0.0.1:1/{k}',
    'https://other.example/{k}',
    'http://api.example.com/{k}',
  ])('that is not allowed is not called: %s', async (urlTemplate) => {
    expect(await failure(ask('x', { urlTemplate, allow: ['api.example.com'] }))).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('may not call') as string,
      retryable: false,
    });
  });

  it.each([
    'https://user:pw@api.example.com/{k}',
    'https://api.example.com@evil.example/{k}',
    'https://api.example.com\\@evil.example/{k}',
    'https://0x7f.1/{k}',
    'http://[::ffff:127.0.0.1]/{k}',
    'https://2130706433/{k}',
    'https://api.example.com/a/%2e%2e/{k}',
    'https://{k}/',
    'file:///etc/passwd?{k}',
  ])('is read as it stands, or not at all: %s', (urlTemplate) => {
    expect(httpLookupSource({ ...DEFINITION, urlTemplate }, client())).toBeUndefined();
  });

  const answers =
    (...addresses: string[]): Resolve =>
    (_hostname, _options, callback) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );

  it.each([
    ['127.0.0.1'],
    ['10.1.2.3'],
    ['172.16.0.1'],
    ['192.168.1.1'],
    ['169.254.169.254'],
    ['100.64.0.1'],
    ['0.0.0.0'],
    ['224.0.0.1'],
    ['::'],
    ['::1'],
    ['fe80::1'],
    ['fd00:ec2::254'],
    ['ff02::1'],
    ['::ffff:127.0.0.1'],
    ['::ffff:7f00:1'],
    ['::127.0.0.1'],
    ['64:ff9b::7f00:1'],
    ['2002:7f00:1::'],
    ['8.8.8.8', '127.0.0.1'],
  ])('whose name leads to %s is not called', async (...addresses) => {
    const urlTemplate = 'https://api.example.com/{k}';
    const refused = await failure(
      ask('x', { urlTemplate, allow: ['api.example.com'], resolve: answers(...addresses) }),
    );
    expect(refused).toMatchObject({
      message: expect.stringContaining('no address of the internet') as string,
      retryable: false,
    });
  });

  it.each(['127.0.0.1:1', '[::1]:1', '[::ffff:127.0.0.1]:1', '10.0.0.1'])(
    'that is allowed by its address alone must be public: %s',
    async (host) => {
      const allow = [new URL(`https://${host}`).host];
      const refused = await failure(ask('x', { urlTemplate: `https://${allow[0] ?? ''}/{k}`, allow }));
      expect(refused.message).toContain('no address of the internet');
    },
  );

  it('that is private is called where the configuration says so, whatever its name leads to', async () => {
    const { port } = new URL(`http://${service.host}`);
    const urlTemplate = `http://intranet.example:${port}/{k}`;
    service.answer = (_request, response) => json(response, { v: 1 });
    const rows = await ask('x', {
      urlTemplate,
      allowPrivate: [`intranet.example:${port}`],
      resolve: answers('127.0.0.1'),
    });
    expect(rows.map(({ value }) => value)).toEqual([{ v: 1 }]);
  });

  it('whose certificate nobody vouches for is sent nothing', async () => {
    const received: string[] = [];
    const server = createHttpsServer(await selfSignedCertificate(['127.0.0.1']), (request, response) => {
      received.push(request.url ?? '');
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const refused = await failure(ask('x', { urlTemplate: `https://${host}/{k}`, allowPrivate: [host] }));
    expect(refused).toMatchObject({ kind: 'unreachable', retryable: false });
    expect(received).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('a redirect', () => {
  const to =
    (location: string): FakeService['answer'] =>
    (_request, response) =>
      response.writeHead(302, { location }).end();
  const own = () => ({ host: service.host, headers: { key: SECRET }, query: { token: 'another-secret' } });

  it('within the service is followed, with what its connection sends', async () => {
    service.answer = (request, response) =>
      request.target.startsWith('/v1') ? to('/v2/there?x=1')(request, response) : json(response, { v: 'there' });
    expect((await ask('x', own())).map(({ value }) => value)).toEqual([{ v: 'there' }]);
    expect(service.received.map(({ target, headers }) => [target, headers['key']])).toEqual([
      ['/v1/x?token=another-secret', SECRET],
      ['/v2/there?x=1', SECRET],
    ]);
  });

  it('to another host that may be called gets no secret', async () => {
    service.answer = (request, response) => to(`http://${other.host}/moved`)(request, response);
    other.answer = (_request, response) => json(response, { v: 'moved' });
    expect((await ask('x', { ...own(), allowPrivate: [service.host, other.host] })).map(({ value }) => value)).toEqual([
      { v: 'moved' },
    ]);
    expect(other.received.map(({ target, headers }) => [target, headers['key']])).toEqual([['/moved', undefined]]);
  });

  it.each([
    ['http://127.0.0.1:1/'],
    ['http://169.254.169.254/latest/meta-data/'],
    ['http://[::ffff:127.0.0.1]/'],
    ['https://evil.example/'],
    ['file:///etc/passwd'],
    ['//evil.example/x'],
  ])('to %s is refused', async (location) => {
    service.answer = to(location);
    expect((await failure(ask('x', own()))).message).toContain('may not call');
    expect(service.received).toHaveLength(1);
  });

  it('to a host that is at no address of the internet names that host', async () => {
    service.answer = to('https://127.0.0.1:1/');
    const refused = await failure(ask('x', { ...own(), allow: ['127.0.0.1:1'] }));
    expect(refused.message).toContain('may not call https://127.0.0.1:1: it is at no address of the internet');
  });

  it('that carries a secret to another host is refused', async () => {
    service.answer = to(`http://${other.host}/?echo=${SECRET}`);
    const refused = await failure(ask('x', { ...own(), allowPrivate: [service.host, other.host] }));
    expect(`${refused.message} ${refused.detail ?? ''} ${refused.hint ?? ''}`).not.toContain(SECRET);
    expect(other.received).toEqual([]);
  });

  it('without end ends', async () => {
    service.answer = to('/again');
    expect((await failure(ask('x'))).message).toContain('redirected more than 3 times');
    expect(service.received).toHaveLength(4);
  });
});

describe('an answer', () => {
  const answer = (body: string, headers: Record<string, string> = {}) => {
    service.answer = (_request, response) => response.writeHead(200, headers).end(body);
  };

  it.each([
    ['is no JSON', '<html>'],
    ['is no JSON', '{"v": 1'],
    ['is nested deeper than 64 levels', `${'['.repeat(4_000)}${']'.repeat(4_000)}`],
    ['has more than 10000 bytes', JSON.stringify({ v: 'x'.repeat(20_000) })],
    ['holds a number that is too large', '{"v": 1e999}'],
  ])('that %s fails', async (message, body) => {
    answer(body);
    const refused = await failure(ask('x'));
    expect(refused).toMatchObject({ kind: 'nonsense', message: expect.stringContaining(message) as string });
  });

  it('that is compressed, or has no end, fails', async () => {
    answer('{}', { 'content-encoding': 'gzip' });
    expect((await failure(ask('x'))).message).toContain('is compressed');
    service.answer = (_request, response) => {
      const more = () => {
        if (!response.destroyed) response.write(' '.repeat(1_000), () => setImmediate(more));
      };
      more();
    };
    expect((await failure(ask('x'))).message).toContain('has more than 10000 bytes');
  });

  it('that comes too slowly fails, however little pauses it makes', async () => {
    service.answer = (_request, response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    };
    expect((await failure(ask('x', { timeoutMs: 150 }))).message).toContain('did not answer in 0.15 s');
  });

  it('that is no HTTP fails without saying what came', async () => {
    const server = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end(`SSH-2.0 ${SECRET}\r\n`),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const refused = await failure(ask('x', { urlTemplate: `http://${host}/{k}`, allowPrivate: [host] }));
    expect(refused).toMatchObject({ kind: 'unreachable' });
    expect(JSON.stringify([refused.message, refused.detail, refused.hint])).not.toContain(SECRET);
    await new Promise((resolve) => server.close(resolve));
  });

  it.each([
    [401, {}, 'credentials', false],
    [403, {}, 'credentials', false],
    [400, {}, 'invalid_request', false],
    [500, {}, 'unreachable', true],
    [429, { 'retry-after': '2' }, 'throttled', true],
    [429, { 'retry-after': '7200' }, 'quota', false],
    [429, { 'retry-after': 'Fri, 31 Dec 2100 23:59:59 GMT' }, 'quota', false],
    [429, { 'retry-after': 'Fri, 31 Dec 1999 23:59:59 GMT' }, 'throttled', true],
    [429, {}, 'throttled', true],
    [304, {}, 'unreachable', false],
    [204, {}, 'invalid_request', false],
  ] as const)('of status %s %j fails as %s', async (status, headers, kind, retryable) => {
    service.answer = (_request, response) => response.writeHead(status, headers).end(SECRET);
    const refused = await failure(ask('x', { headers: { key: SECRET }, host: service.host }));
    expect(refused).toMatchObject({ kind, retryable });
    expect(JSON.stringify([refused.message, refused.detail, refused.hint])).not.toContain(SECRET);
  });

  it('of a status that the connection takes for none is no row', async () => {
    service.answer = (_request, response) => response.writeHead(204).end();
    expect(await ask('x', { notFound: [204, 404] })).toEqual([]);
    service.answer = (_request, response) => response.writeHead(400).end('not routable');
    expect(await ask('x', { notFound: [400, 404] })).toEqual([]);
  });

  it.each([
    ['text/plain', Buffer.from('{"v": "caf\u00e9"}'), 'caf\u00e9'],
    ['application/json; charset="iso-8859-1"', Buffer.from('{"v": "caf\u00e9"}', 'latin1'), 'caf\u00e9'],
    ['application/json', Buffer.from('\ufeff{"v": "a"}'), 'a'],
    ['application/json', Buffer.from('{"v": "caf\u00e9"}', 'latin1'), undefined],
    ['application/json; charset=none-such', Buffer.from('{"v": "a"}'), undefined],
  ])('is read as its type says, or not at all: %s %s', async (type, body, value) => {
    service.answer = (_request, response) => response.writeHead(200, { 'content-type': type }).end(body);
    if (value === undefined) expect((await failure(ask('x'))).message).toContain('is no text in the encoding');
    else expect((await ask('x')).map((row) => row.value)).toEqual([{ v: value }]);
  });

  it('with more headers than anybody needs fails', async () => {
    service.answer = (_request, response) => {
      response.socket?.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}\r\n\r\n{}`);
    };
    expect(await failure(ask('x'))).toMatchObject({
      kind: 'unreachable',
      detail: expect.stringContaining('HEADERS') as string,
    });
  });

  it('that lacks what it must have is none, whatever its status says', async () => {
    const columns = [...DEFINITION.columns.slice(0, 1), { name: 'v', type: 'text', path: '$.v', not_null: true }];
    for (const body of ['{"error": "try again later"}', '{"v": null}']) {
      answer(body);
      expect(await failure(ask('x', { columns }))).toMatchObject({
        kind: 'nonsense',
        message: expect.stringContaining('has no value for column v') as string,
      });
    }
    answer('{"v": ""}');
    expect((await ask('x', { columns })).map(({ value }) => value)).toEqual([{ v: '' }]);
  });

  it('of no row is told to be one that a wrong URL gives, until there was another', async () => {
    const source = httpLookupSource({ ...DEFINITION, urlTemplate: `http://${service.host}/{k}` }, client());
    service.answer = ({ target }, response) =>
      target === '/known' ? json(response, {}) : notFound({ target, headers: {} }, response);
    const said = async (key: string) => {
      const context = testContext();
      await source?.lookup({ key, inputs: {} }, [], context);
      return context.notices.map(({ message }) => message);
    };
    expect(await said('x')).toEqual([expect.stringContaining('nothing but 404 so far')]);
    expect([await said('known'), await said('x')]).toEqual([[], []]);
  });

  it('keeps what JSON.parse would round, and takes nothing from prototypes', async () => {
    answer('{"id": 12345678901234567890, "text": "12345678901234567890", "d": 0.1}');
    const columns = [
      { name: 'k', type: 'text', key: true },
      ...['id', 'text', 'd', 'constructor', 'length'].map((name) => ({ name, type: 'text', path: `$.${name}` })),
    ];
    expect((await ask('x', { columns })).map(({ value }) => value)).toEqual([
      { id: '12345678901234567890', text: '12345678901234567890', d: 0.1, constructor: null, length: null },
    ]);
  });

  it('is given up with the statement, and nothing is asked afterwards', async () => {
    const context = testContext();
    service.answer = () => context.abort(new Error('cancelled'));
    const source = httpLookupSource({ ...DEFINITION, urlTemplate: `http://${service.host}/{k}` }, client());
    const asking = source?.lookup({ key: 'x', inputs: {} }, [], context);
    await expect(asking).rejects.toThrow('cancelled');
    await expect(source?.lookup({ key: 'y', inputs: {} }, [], context)).rejects.toThrow('cancelled');
    expect(service.received).toHaveLength(1);
  });
});
