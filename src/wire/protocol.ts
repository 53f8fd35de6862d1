/** https://www.postgresql.org/docs/18/protocol-message-formats.html: what a start-up packet's first word may be. */
export const SSL_REQUEST_CODE = 80877103;
export const GSSENC_REQUEST_CODE = 80877104;
export const CANCEL_REQUEST_CODE = 80877102;

/** A protocol version as it stands in a start-up packet: major in the upper, minor in the lower 16 bits. */
export interface ProtocolVersion {
  readonly major: number;
  readonly minor: number;
}

export function packVersion(version: ProtocolVersion): number {
  return version.major * 0x1_0000 + version.minor;
}

export function unpackVersion(word: number): ProtocolVersion {
  return { major: word >>> 16, minor: word & 0xffff };
}

/** MAX_STARTUP_PACKET_LENGTH of PostgreSQL's libpq/pqcomm.h; the length word itself is not counted. */
export const MAX_STARTUP_PACKET = 10_000;

/** PG_MAX_AUTH_TOKEN_LENGTH of libpq/auth.h: a password or SASL response. */
export const MAX_AUTH_MESSAGE = 65_535;

/** PQ_SMALL_MESSAGE_LIMIT of libpq/libpq.h: messages that carry names only. */
export const MAX_SMALL_MESSAGE = 10_000;

/** PQ_LARGE_MESSAGE_LIMIT of libpq/libpq.h, that is MaxAllocSize - 1. */
export const MAX_LARGE_MESSAGE = 0x3fff_fffe;

/** A one-byte message type as it stands on the wire. */
export function typeCode(letter: string): number {
  return letter.charCodeAt(0);
}
