import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mutated } from '../../test/support/mutations.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { decodeAuthentication, encodeAuthentication } from './backend/authentication.ts';
import { decodeBackendKeyData, encodeBackendKeyData } from './backend/backend-key-data.ts';
import { decodeCommandComplete, encodeCommandComplete } from './backend/command-complete.ts';
import { decodeDataRow, encodeDataRow } from './backend/data-row.ts';
import { decodeErrorResponse, encodeErrorResponse } from './backend/error-response.ts';
import {
  decodeNegotiateProtocolVersion,
  encodeNegotiateProtocolVersion,
} from './backend/negotiate-protocol-version.ts';
import { decodeNoticeResponse, encodeNoticeResponse } from './backend/notice-response.ts';
import { decodeParameterDescription, encodeParameterDescription } from './backend/parameter-description.ts';
import { decodeParameterStatus, encodeParameterStatus } from './backend/parameter-status.ts';
import { decodeReadyForQuery, encodeReadyForQuery, type TransactionStatus } from './backend/ready-for-query.ts';
import { decodeRowDescription, encodeRowDescription } from './backend/row-description.ts';
import { decodeBind, encodeBind, type Format } from './frontend/bind.ts';
import { decodeCancelRequest, encodeCancelRequest } from './frontend/cancel-request.ts';
import { decodeClose, encodeClose } from './frontend/close.ts';
import { decodeDescribe, encodeDescribe } from './frontend/describe.ts';
import { decodeExecute, encodeExecute } from './frontend/execute.ts';
import { decodeParse, encodeParse } from './frontend/parse.ts';
import { decodeQuery, encodeQuery } from './frontend/query.ts';
import { decodeSASLInitialResponse, encodeSASLInitialResponse } from './frontend/sasl-initial-response.ts';
import { decodeSASLResponse, encodeSASLResponse } from './frontend/sasl-response.ts';
import { decodeStartupMessage, encodeStartupMessage } from './frontend/startup-message.ts';
import type { Target } from './frontend/target.ts';
import { readStartupPacket } from './startup-packet.ts';

const TYPED_HEADER = 5;
const LENGTH_WORD = 4;

/** What UTF-8 can hold, and a cstring. */
const text = fc.string({ unit: 'grapheme' }).map((value) => Buffer.from(value.replaceAll('\0', '')).toString());
const word = text.filter((value) => value !== '');
const bytes = fc.uint8Array({ maxLength: 300 }).map((value) => Buffer.from(value));
const oid = fc.integer({ min: 0, max: 0xffff_ffff });
const int16 = fc.integer({ min: -0x8000, max: 0x7fff });
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const format = fc.constantFrom<Format>(0, 1);
const target = fc.constantFrom<Target>('S', 'P');
const value = fc.record({ format, value: fc.option(bytes) });
const version = fc.record({ major: fc.nat(0xffff), minor: fc.nat(0xffff) });
const fields = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...Array.from('SVCMDHPpqWstcdnFLR')), text), { selector: ([letter]) => letter })
  .map((entries) => ({ fields: new Map(entries) }));

interface Codec<T> {
  readonly name: string;
  readonly header: number;
  readonly messages: fc.Arbitrary<T>;
  readonly encode: (message: T) => Buffer;
  readonly decode: (payload: Buffer) => unknown;
}

/** Forgets T, so that all codecs stand in one list. */
function codec<T>(
  name: string,
  messages: fc.Arbitrary<T>,
  encode: (message: T) => Buffer,
  decode: (payload: Buffer) => unknown,
  header = TYPED_HEADER,
): Codec<unknown> {
  return { name, header, messages, encode: encode as (message: unknown) => Buffer, decode };
}

const codecs = [
  codec('Query', fc.record({ text }), encodeQuery, decodeQuery),
  codec('Parse', fc.record({ statement: text, text, parameterTypes: fc.array(oid) }), encodeParse, decodeParse),
  codec(
    'Bind',
    fc.record({ portal: text, statement: text, parameters: fc.array(value), resultFormats: fc.array(format) }),
    encodeBind,
    decodeBind,
  ),
  codec('Describe', fc.record({ target, name: text }), encodeDescribe, decodeDescribe),
  codec('Close', fc.record({ target, name: text }), encodeClose, decodeClose),
  codec('Execute', fc.record({ portal: text, maxRows: int32 }), encodeExecute, decodeExecute),
  codec(
    'SASLInitialResponse',
    fc.record({ mechanism: text, response: fc.option(bytes) }),
    encodeSASLInitialResponse,
    decodeSASLInitialResponse,
  ),
  codec('SASLResponse', fc.record({ data: bytes }), encodeSASLResponse, decodeSASLResponse),
  codec(
    'StartupMessage',
    fc.record({ version, parameters: fc.array(fc.tuple(word, text)) }),
    encodeStartupMessage,
    decodeStartupMessage,
    LENGTH_WORD,
  ),
  codec(
    'CancelRequest',
    fc.record({ pid: int32, key: bytes.filter((key) => key.length >= 4 && key.length <= 256) }),
    encodeCancelRequest,
    decodeCancelRequest,
    LENGTH_WORD,
  ),
  codec(
    'Authentication',
    fc.oneof(
      fc.constant({ method: 'ok' as const }),
      fc.record({ method: fc.constant('sasl' as const), mechanisms: fc.array(word) }),
      fc.record({ method: fc.constantFrom('sasl-continue' as const, 'sasl-final' as const), data: bytes }),
    ),
    encodeAuthentication,
    decodeAuthentication,
  ),
  codec(
    'BackendKeyData',
    fc.record({ pid: int32, key: bytes.filter((key) => key.length >= 4 && key.length <= 256) }),
    encodeBackendKeyData,
    decodeBackendKeyData,
  ),
  codec('CommandComplete', fc.record({ tag: text }), encodeCommandComplete, decodeCommandComplete),
  codec('DataRow', fc.record({ values: fc.array(fc.option(bytes)) }), encodeDataRow, decodeDataRow),
  codec('ErrorResponse', fields, encodeErrorResponse, decodeErrorResponse),
  codec('NoticeResponse', fields, encodeNoticeResponse, decodeNoticeResponse),
  codec(
    'NegotiateProtocolVersion',
    fc.record({ version, unrecognized: fc.array(text) }),
    encodeNegotiateProtocolVersion,
    decodeNegotiateProtocolVersion,
  ),
  codec(
    'ParameterDescription',
    fc.record({ types: fc.array(oid) }),
    encodeParameterDescription,
    decodeParameterDescription,
  ),
  codec('ParameterStatus', fc.record({ name: text, value: text }), encodeParameterStatus, decodeParameterStatus),
  codec(
    'ReadyForQuery',
    fc.record({ status: fc.constantFrom<TransactionStatus>('I', 'T', 'E') }),
    encodeReadyForQuery,
    decodeReadyForQuery,
  ),
  codec(
    'RowDescription',
    fc.record({
      fields: fc.array(
        fc.record({
          name: text,
          tableOid: oid,
          attnum: int16,
          typeOid: oid,
          typeSize: int16,
          typeModifier: int32,
          format: int16,
        }),
      ),
    }),
    encodeRowDescription,
    decodeRowDescription,
  ),
];

/** A message without content still has its fixed parts. */
const MOST_FOR_NOTHING = 8;

/** How much a decoded message holds: bytes, characters, and each element of a list, which takes a byte of it at least. */
function weight(decoded: unknown): number {
  if (typeof decoded === 'string' || Buffer.isBuffer(decoded)) return decoded.length;
  if (decoded instanceof Map) return weight([...decoded]);
  if (Array.isArray(decoded)) return decoded.reduce<number>((sum, item) => sum + Math.max(1, weight(item)), 0);
  if (typeof decoded !== 'object' || decoded === null) return 0;
  return Object.values(decoded).reduce<number>((sum, item) => sum + (NAMED.has(item) ? 0 : weight(item)), 0);
}

/** What a number on the wire is called. */
const NAMED: ReadonlySet<unknown> = new Set(['ok', 'sasl', 'sasl-continue', 'sasl-final', 'other']);

describe.each(codecs)('$name', ({ messages, encode, decode, header }) => {
  test('is read as it was written, and its length word counts itself and the payload', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const written = encode(message);
        expect(written.readUInt32BE(header - LENGTH_WORD)).toBe(written.length - (header - LENGTH_WORD));
        expect(decode(written.subarray(header))).toEqual(message);
      }),
    );
  });

  test('refuses whatever is cut short, changed or random with a protocol violation, and never otherwise', () => {
    const refusesProperly = (payload: Buffer) => {
      try {
        expect(weight(decode(payload))).toBeLessThanOrEqual(MOST_FOR_NOTHING + payload.length);
      } catch (error) {
        expect(error).toBeInstanceOf(TrailhoundError);
        expect((error as TrailhoundError).code).toBe('protocol_violation');
      }
    };
    fc.assert(fc.property(bytes, refusesProperly));
    fc.assert(
      fc.property(messages, fc.double({ min: 0, max: 1, noNaN: true }), (message, part) => {
        const payload = encode(message).subarray(header);
        refusesProperly(payload.subarray(0, Math.floor(payload.length * part)));
      }),
    );
    fc.assert(fc.property(mutated(messages.map((message) => encode(message).subarray(header))), refusesProperly));
  });
});

test('a count that announces more than the message holds is refused before anything is made for it', () => {
  const payload = Buffer.concat([Buffer.from('\0\0'), Buffer.from([0, 0, 0xff, 0xff])]);
  expect(() => decodeBind(payload)).toThrow('insufficient data left in message');
});

test('one parameter format counts for all parameters', () => {
  const payload = Buffer.from([0, 0, 0, 1, 0, 1, 0, 2, 0, 0, 0, 1, 7, 0xff, 0xff, 0xff, 0xff, 0, 0]);
  expect(decodeBind(payload).parameters).toEqual([
    { format: 1, value: Buffer.from([7]) },
    { format: 1, value: null },
  ]);
});

describe('what may come before any typed message', () => {
  const request = (code: number, more = Buffer.alloc(0)) => {
    const packet = Buffer.alloc(8);
    packet.writeUInt32BE(8 + more.length, 0);
    packet.writeUInt32BE(code, 4);
    return Buffer.concat([packet, more]);
  };

  test.each([
    ['ssl-request', request(80877103)],
    ['gssenc-request', request(80877104)],
    ['cancel-request', request(80877102, Buffer.alloc(8))],
    ['startup', encodeStartupMessage({ version: { major: 3, minor: 0 }, parameters: [['user', 'x']] })],
  ])('%s is told by its code, and what follows it is kept', (kind, packet) => {
    const read = readStartupPacket(Buffer.concat([packet, Buffer.from('rest')]));
    expect(read).toMatchObject({ state: 'packet', packet: { kind } });
    expect(read.state === 'packet' && read.rest.toString()).toBe('rest');
    expect(readStartupPacket(packet.subarray(0, -1)).state).toBe('incomplete');
  });

  test('the first byte of a TLS handshake is not a length', () => {
    expect(readStartupPacket(Buffer.from([0x16]))).toEqual({ state: 'tls' });
  });

  test.each([0, 7, 10_005, 0x7fffffff])('a length of %i is refused once it is known', (length) => {
    const packet = Buffer.alloc(4);
    packet.writeUInt32BE(length, 0);
    expect(() => readStartupPacket(packet)).toThrow('invalid length of startup packet');
  });

  test('the longest packet that PostgreSQL takes is taken', () => {
    const packet = Buffer.alloc(10_004);
    packet.writeUInt32BE(10_004, 0);
    expect(readStartupPacket(packet).state).toBe('packet');
  });

  test('whatever comes is a packet of at most its own size, TLS, too little, or refused', () => {
    const whole = fc.constantFrom(
      request(80877103),
      request(80877102, Buffer.alloc(32)),
      encodeStartupMessage({ version: { major: 3, minor: 2 }, parameters: [['user', 'x']] }),
    );
    fc.assert(
      fc.property(fc.oneof(bytes, mutated(whole)), (received) => {
        try {
          const read = readStartupPacket(received);
          if (read.state !== 'packet') return;
          expect(read.rest.length).toBeLessThanOrEqual(received.length - 2 * LENGTH_WORD);
          expect(received.subarray(received.length - read.rest.length)).toEqual(read.rest);
        } catch (error) {
          expect(error).toBeInstanceOf(TrailhoundError);
          expect(['protocol_violation', 'not_supported']).toContain((error as TrailhoundError).code);
        }
      }),
    );
  });
});
