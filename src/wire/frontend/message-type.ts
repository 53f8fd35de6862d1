import { MAX_LARGE_MESSAGE, MAX_SMALL_MESSAGE, typeCode } from '../protocol.ts';

/** What a client may send after authentication, by its type byte. */
export const FRONTEND = {
  bind: typeCode('B'),
  close: typeCode('C'),
  copyData: typeCode('d'),
  copyDone: typeCode('c'),
  copyFail: typeCode('f'),
  describe: typeCode('D'),
  execute: typeCode('E'),
  flush: typeCode('H'),
  functionCall: typeCode('F'),
  parse: typeCode('P'),
  query: typeCode('Q'),
  sasl: typeCode('p'),
  sync: typeCode('S'),
  terminate: typeCode('X'),
} as const;

/**
 * The largest length word that PostgreSQL takes (SocketBackend in tcop/postgres.c); undefined: it does not know the type
 * in this place.
 */
const LIMITS: ReadonlyMap<number, number> = new Map([
  [FRONTEND.bind, MAX_LARGE_MESSAGE],
  [FRONTEND.close, MAX_SMALL_MESSAGE],
  [FRONTEND.copyData, MAX_LARGE_MESSAGE],
  [FRONTEND.copyDone, MAX_SMALL_MESSAGE],
  [FRONTEND.copyFail, MAX_SMALL_MESSAGE],
  [FRONTEND.describe, MAX_SMALL_MESSAGE],
  [FRONTEND.execute, MAX_SMALL_MESSAGE],
  [FRONTEND.flush, MAX_SMALL_MESSAGE],
  [FRONTEND.functionCall, MAX_LARGE_MESSAGE],
  [FRONTEND.parse, MAX_LARGE_MESSAGE],
  [FRONTEND.query, MAX_LARGE_MESSAGE],
  [FRONTEND.sync, MAX_SMALL_MESSAGE],
  [FRONTEND.terminate, MAX_SMALL_MESSAGE],
]);

export function frontendLimit(type: number): number | undefined {
  return LIMITS.get(type);
}
