import { typeCode } from '../protocol.ts';

/** What a server may send, by its type byte. */
export const BACKEND = {
  authentication: typeCode('R'),
  backendKeyData: typeCode('K'),
  bindComplete: typeCode('2'),
  closeComplete: typeCode('3'),
  commandComplete: typeCode('C'),
  copyBothResponse: typeCode('W'),
  copyData: typeCode('d'),
  copyDone: typeCode('c'),
  copyInResponse: typeCode('G'),
  copyOutResponse: typeCode('H'),
  dataRow: typeCode('D'),
  emptyQueryResponse: typeCode('I'),
  errorResponse: typeCode('E'),
  functionCallResponse: typeCode('V'),
  negotiateProtocolVersion: typeCode('v'),
  noData: typeCode('n'),
  noticeResponse: typeCode('N'),
  notificationResponse: typeCode('A'),
  parameterDescription: typeCode('t'),
  parameterStatus: typeCode('S'),
  parseComplete: typeCode('1'),
  portalSuspended: typeCode('s'),
  readyForQuery: typeCode('Z'),
  rowDescription: typeCode('T'),
} as const;
