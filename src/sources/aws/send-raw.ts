import { parseExactly } from '../exact-number.ts';

/** A response's body as it came: the SDK's own reading renames every field and costs as much as parsing does. */
export interface RawAnswer {
  readonly value: unknown;
  /** Of the body, as received. */
  readonly bytes: number;
}

interface Response {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  body: unknown;
}

type Handler = (args: never) => Promise<{ readonly response: unknown }>;

interface Stack {
  addRelativeTo(middleware: (next: Handler) => Handler, options: object): void;
}

interface Command {
  readonly middlewareStack: unknown;
}

const NO_FIELDS = new TextEncoder().encode('{}');

/**
 * Sends a command by the SDK (credentials, signature, endpoint, errors are its work) and gives the JSON that the service
 * answered. Throws SyntaxError where that is none.
 */
export async function sendRaw<C extends Command>(
  command: C,
  send: (command: C) => Promise<unknown>,
): Promise<RawAnswer> {
  const body = await sendForBody(command, send);
  return { value: JSON.parse(body.toString('utf8')) as unknown, bytes: body.length };
}

/** The same, its numbers as they were written. */
export async function sendExact<C extends Command>(
  command: C,
  send: (command: C) => Promise<unknown>,
): Promise<RawAnswer> {
  const body = await sendForBody(command, send);
  return { value: parseExactly(body.toString('utf8')), bytes: body.length };
}

/** The same, before it is parsed. */
export async function sendForBody<C extends Command>(
  command: C,
  send: (command: C) => Promise<unknown>,
): Promise<Buffer> {
  let body: Buffer | undefined;
  const middleware =
    (next: Handler): Handler =>
    async (args) => {
      const result = await next(args);
      const response = result.response as Response;
      if (response.statusCode < 300) {
        body = await collect(response.body as AsyncIterable<Uint8Array>, Number(response.headers?.['content-length']));
        response.body = NO_FIELDS;
      }
      return result;
    };
  (command.middlewareStack as Stack).addRelativeTo(middleware, {
    name: 'rawBody',
    relation: 'after',
    toMiddleware: 'deserializerMiddleware',
    override: true,
  });
  await send(command);
  if (body === undefined) throw new SyntaxError('no body');
  return body;
}

/** Where the length is known it is stored as it comes: chunks that wait for all others would take as much again. */
async function collect(body: AsyncIterable<Uint8Array>, length: number): Promise<Buffer> {
  const isKnown = length > 0 && length <= LONGEST_KNOWN;
  let whole: Buffer = Buffer.allocUnsafeSlow(isKnown ? length : FIRST_BYTES);
  let filled = 0;
  for await (const chunk of body) {
    if (filled + chunk.length > whole.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(filled + chunk.length, 2 * whole.length));
      whole.copy(larger, 0, 0, filled);
      whole = larger;
    }
    whole.set(chunk, filled);
    filled += chunk.length;
  }
  return whole.subarray(0, filled);
}

/** No answer of AWS's control planes, nor a page of CloudWatch Logs, is longer. What is, is collected as it grows. */
const LONGEST_KNOWN = 16 * 1024 * 1024;
const FIRST_BYTES = 16 * 1024;
