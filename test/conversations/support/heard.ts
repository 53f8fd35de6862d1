import { decodeAuthentication } from '../../../src/wire/backend/authentication.ts';
import { decodeBackendKeyData } from '../../../src/wire/backend/backend-key-data.ts';
import { decodeDataRow } from '../../../src/wire/backend/data-row.ts';
import { BACKEND } from '../../../src/wire/backend/message-type.ts';
import { decodeNegotiateProtocolVersion } from '../../../src/wire/backend/negotiate-protocol-version.ts';
import { decodeParameterDescription } from '../../../src/wire/backend/parameter-description.ts';
import { decodeParameterStatus } from '../../../src/wire/backend/parameter-status.ts';
import { readFields } from '../../../src/wire/backend/response-fields.ts';
import { decodeRowDescription } from '../../../src/wire/backend/row-description.ts';
import type { WireMessage } from '../../session/support/wire-client.ts';

const NAMES = new Map(
  Object.entries(BACKEND).map(([name, code]) => [
    String.fromCharCode(code),
    `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
  ]),
);

/**
 * A server's message as a line. Left out is what differs between two sessions or two builds of PostgreSQL: process ids,
 * keys, places in its sources, oids of tables.
 */
export function heard({ type, payload }: WireMessage): string {
  const name = NAMES.get(type) ?? `unknown type ${JSON.stringify(type)}`;
  const said = fieldsOf(name, payload);
  return said === '' ? name : `${name} ${said}`;
}

function fieldsOf(name: string, payload: Buffer): string {
  switch (name) {
    case 'Authentication': {
      const step = decodeAuthentication(payload);
      if (step.method === 'sasl') return `sasl ${step.mechanisms.join(' ')}`;
      return step.method === 'sasl-continue' && step.data.length === 0 ? 'sasl-continue ""' : step.method;
    }
    case 'BackendKeyData':
      return `of ${String(decodeBackendKeyData(payload).key.length)} bytes`;
    case 'DataRow':
      return JSON.stringify(decodeDataRow(payload).values.map((value) => value?.toString() ?? null));
    case 'ErrorResponse':
    case 'NoticeResponse':
      return responseOf(payload);
    case 'NegotiateProtocolVersion': {
      const { version, unrecognized } = decodeNegotiateProtocolVersion(payload);
      return `${String(version.major)}.${String(version.minor)} ${JSON.stringify(unrecognized)}`;
    }
    case 'NotificationResponse':
      return texts(payload.subarray(4));
    case 'ParameterDescription':
      return JSON.stringify(decodeParameterDescription(payload).types);
    case 'ParameterStatus': {
      const { name: setting, value } = decodeParameterStatus(payload);
      return `${JSON.stringify(setting)} ${JSON.stringify(value)}`;
    }
    case 'ReadyForQuery':
      return payload.toString();
    case 'RowDescription':
      return decodeRowDescription(payload)
        .fields.map(
          (field) =>
            `${JSON.stringify(field.name)} ${String(field.typeOid)}${field.format === 1 ? ' binary' : ''}${field.typeModifier === -1 ? '' : ` modifier ${String(field.typeModifier)}`}`,
        )
        .join(', ');
    default:
      return texts(payload);
  }
}

/** Line, file and routine of PostgreSQL's own sources. */
const PLACES: ReadonlySet<string> = new Set(['F', 'L', 'R']);

function responseOf(payload: Buffer): string {
  const fields = readFields(payload);
  const [severity = '', code = '', message = ''] = ['V', 'C', 'M'].map((letter) => fields.get(letter));
  const more = [...fields].filter(([letter]) => !PLACES.has(letter) && !'SVCM'.includes(letter));
  const rest = more.length === 0 ? '' : ` ${JSON.stringify(Object.fromEntries(more))}`;
  return `${severity} ${code} ${JSON.stringify(message)}${rest}`;
}

function texts(payload: Buffer): string {
  if (payload.length === 0) return '';
  if (payload.at(-1) !== 0) return JSON.stringify(payload.toString('latin1'));
  const parts = payload.subarray(0, -1).toString('latin1').split('\0');
  return parts.map((part) => JSON.stringify(part)).join(' ');
}
