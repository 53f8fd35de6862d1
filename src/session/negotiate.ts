import { TrailhoundError } from '../kernel/errors.ts';
import { encodeNegotiateProtocolVersion } from '../wire/backend/negotiate-protocol-version.ts';
import type { StartupMessage } from '../wire/frontend/startup-message.ts';

export interface Negotiated {
  /** As PostgreSQL keeps it: cut to NAMEDATALEN - 1 bytes. */
  readonly user: string;
  /** What the engine gets: a version that it speaks, none of the options that were refused. */
  readonly startup: StartupMessage;
  /** NegotiateProtocolVersion; undefined where the client asked for nothing that needs it. */
  readonly answer: Buffer | undefined;
}

/** From PostgreSQL 18 on 3.2, whose cancel keys are longer. */
const FIRST_VERSION_WITH_3_2 = 180_000;
const NAMEDATALEN = 64;
const PROTOCOL_OPTION = '_pq_.';

/** Throws what the client is to be told. PG: ProcessStartupPacket in tcop/backend_startup.c. */
export function negotiate(startup: StartupMessage, engineVersion: number): Negotiated {
  const { version, parameters } = startup;
  const latest = engineVersion >= FIRST_VERSION_WITH_3_2 ? 2 : 0;
  if (version.major !== 3) {
    throw new TrailhoundError(
      'not_supported',
      `unsupported frontend protocol ${version.major}.${version.minor}: server supports 3.0 to 3.${latest}`,
    );
  }
  const unrecognized = parameters.map(([name]) => name).filter((name) => name.startsWith(PROTOCOL_OPTION));
  const spoken = { major: 3, minor: Math.min(version.minor, latest) };
  const answer =
    version.minor > latest || unrecognized.length > 0
      ? encodeNegotiateProtocolVersion({ version: spoken, unrecognized })
      : undefined;
  refuseReplication(parameters);
  const user = Buffer.from(valueOf(parameters, 'user') ?? '')
    .subarray(0, NAMEDATALEN - 1)
    .toString();
  if (user === '') {
    throw new TrailhoundError('invalid_authorization', 'no PostgreSQL user name specified in startup packet');
  }
  const kept = parameters.filter(([name]) => !name.startsWith(PROTOCOL_OPTION));
  return { user, startup: { version: spoken, parameters: kept }, answer };
}

function refuseReplication(parameters: StartupMessage['parameters']): void {
  const value = valueOf(parameters, 'replication')?.toLowerCase();
  if (value === undefined || ['false', 'off', 'no', '0'].includes(value)) return;
  throw new TrailhoundError('not_supported', 'replication connections are not supported', {
    hint: 'Connect to the PostgreSQL that holds the data for that.',
  });
}

export function valueOf(parameters: StartupMessage['parameters'], name: string): string | undefined {
  return parameters.findLast(([key]) => key === name)?.[1];
}
