import { createHash } from 'node:crypto';
import type { Engine } from '../engine/engine.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { mockVerifier, parseVerifier, type Verifier } from '../wire/scram/verifier.ts';

export interface Credentials {
  readonly verifier: Verifier;
  /** No proof will be accepted: no such role, no SCRAM password, or an expired one. Told by nothing but the outcome. */
  readonly doomed: boolean;
  readonly superuser: boolean;
}

interface RoleRow {
  readonly password: string | null;
  readonly superuser: boolean;
  /** Known to every role that logs in, to nobody else. */
  readonly system: string;
}

/** PostgreSQL's own words where it has some: `the database system is in recovery mode`. */
export function engineUnavailable(cause: unknown): TrailhoundError {
  const said = cause instanceof Error && 'severity' in cause ? cause.message : 'the engine takes no connection now';
  return new TrailhoundError('engine_unavailable', said, { hint: 'Connect again in a moment.', cause });
}

/** Reads pg_authid at each log-in, so that a changed password or a dropped role counts at once. */
export async function readCredentials(engine: Engine, user: string): Promise<Credentials> {
  const { rows } = await engine.pool
    .query<RoleRow>(
      `select case when a.rolvaliduntil < pg_catalog.now() then null else a.rolpassword end as password,
              coalesce(a.rolsuper, false) as superuser,
              s.system_identifier::text as system
         from pg_catalog.pg_control_system() s
         left join pg_catalog.pg_authid a on a.rolname = $1`,
      [user],
    )
    .catch((cause: unknown) => {
      throw engineUnavailable(cause);
    });
  const row = rows[0];
  const verifier = parseVerifier(row?.password ?? '');
  const secret = createHash('sha256')
    .update(`mock verifier of ${row?.system ?? ''}`)
    .digest();
  return {
    verifier: verifier ?? mockVerifier(user, secret),
    doomed: verifier === undefined,
    superuser: row?.superuser ?? false,
  };
}
