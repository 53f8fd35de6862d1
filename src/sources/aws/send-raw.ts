/** A response's body as it came: the SDK's own reading renames every field and costs as much as parsing does. */
export interface RawAnswer {
  readonly value: unknown;
  /** Of the body, as received. */
  readonly bytes: number;
}

interface Response {
  readonly statusCode: number;
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
        body = await collect(response.body as AsyncIterable<Uint8Array>);
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

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
