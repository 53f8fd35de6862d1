import { encodeCancelRequest } from '../../../src/wire/frontend/cancel-request.ts';
import { encodeBind } from '../../../src/wire/frontend/bind.ts';
import { encodeClose } from '../../../src/wire/frontend/close.ts';
import { encodeCopyData } from '../../../src/wire/frontend/copy-data.ts';
import { encodeCopyDone } from '../../../src/wire/frontend/copy-done.ts';
import { encodeCopyFail } from '../../../src/wire/frontend/copy-fail.ts';
import { encodeDescribe } from '../../../src/wire/frontend/describe.ts';
import { encodeExecute } from '../../../src/wire/frontend/execute.ts';
import { encodeFlush } from '../../../src/wire/frontend/flush.ts';
import { encodeFunctionCall } from '../../../src/wire/frontend/function-call.ts';
import { encodeGSSENCRequest } from '../../../src/wire/frontend/gssenc-request.ts';
import { encodeParse } from '../../../src/wire/frontend/parse.ts';
import { encodeQuery } from '../../../src/wire/frontend/query.ts';
import { encodeSSLRequest } from '../../../src/wire/frontend/ssl-request.ts';
import { encodeStartupMessage } from '../../../src/wire/frontend/startup-message.ts';
import { encodeSync } from '../../../src/wire/frontend/sync.ts';
import { encodeTerminate } from '../../../src/wire/frontend/terminate.ts';

/** Of the connection that a CancelRequest is about. */
export interface CancelKey {
  readonly pid: number;
  readonly key: Buffer;
}

/**
 * Words of a conversation as the bytes that they stand for: the message's name, then its fields, each as JSON.
 *
 *     Parse "statement" "select $1" [23]     Bind "portal" "statement" ["41", null] [1]     Execute "portal" 2
 *     Describe "S" "statement"               StartupMessage "3.2" {"user": "x"}             Bytes "Q\u0000"
 */
export function spoken(words: string, cancelKey: () => CancelKey): Buffer {
  const [name = '', ...rest] = words.split(' ');
  const fields = JSON.parse(`[${separated(rest.join(' '))}]`) as never[];
  const speak = MESSAGES[name];
  if (speak !== undefined) return speak(...fields);
  const { pid, key } = cancelKey();
  if (name === 'CancelRequest') return encodeCancelRequest({ pid, key });
  if (name === 'CancelRequestOfWrongKey')
    return encodeCancelRequest({ pid, key: key.map((byte) => byte ^ 1) as Buffer });
  throw new Error(`no message of a client: ${words}`);
}

type Texts = readonly (string | null)[];

const values = (texts: Texts) =>
  texts.map((text) => ({ format: 0 as const, value: text === null ? null : Buffer.from(text) }));

const MESSAGES: Readonly<Record<string, (...fields: never[]) => Buffer>> = {
  Query: (text: string) => encodeQuery({ text }),
  Parse: (statement: string, text: string, parameterTypes: readonly number[] = []) =>
    encodeParse({ statement, text, parameterTypes }),
  Bind: (portal = '', statement = '', parameters: Texts = [], resultFormats: readonly (0 | 1)[] = []) =>
    encodeBind({ portal, statement, parameters: values(parameters), resultFormats }),
  Describe: (target: 'S' | 'P', name = '') => encodeDescribe({ target, name }),
  Execute: (portal = '', maxRows = 0) => encodeExecute({ portal, maxRows }),
  Close: (target: 'S' | 'P', name = '') => encodeClose({ target, name }),
  Sync: () => encodeSync(),
  Flush: () => encodeFlush(),
  Terminate: () => encodeTerminate(),
  CopyData: (text: string) => encodeCopyData({ data: Buffer.from(text) }),
  CopyDone: () => encodeCopyDone(),
  CopyFail: (reason: string) => encodeCopyFail({ reason }),
  FunctionCall: (oid: number, parameters: Texts) =>
    encodeFunctionCall({ oid, arguments: values(parameters), resultFormat: 0 }),
  SSLRequest: () => encodeSSLRequest(),
  GSSENCRequest: () => encodeGSSENCRequest(),
  StartupMessage: (version: string, parameters: Readonly<Record<string, string>>) => {
    const [major = 0, minor = 0] = version.split('.').map(Number);
    return encodeStartupMessage({ version: { major, minor }, parameters: Object.entries(parameters) });
  },
  Bytes: (text: string) => Buffer.from(text, 'latin1'),
};

/** Fields stand side by side: between two of them comes a comma, outside of texts, lists and maps. */
function separated(fields: string): string {
  let depth = 0;
  let quoted = false;
  let result = '';
  for (const [at, character] of Array.from(fields).entries()) {
    if (character === '"' && fields[at - 1] !== '\\') quoted = !quoted;
    if (!quoted && '[{'.includes(character)) depth += 1;
    if (!quoted && ']}'.includes(character)) depth -= 1;
    result += character === ' ' && !quoted && depth === 0 ? ',' : character;
  }
  return result;
}
