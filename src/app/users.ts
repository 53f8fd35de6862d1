import { randomBytes } from 'node:crypto';
import type { SqlClient } from '../hunts/sql-client.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { quoteIdent } from '../sql/substitute.ts';
import { createVerifier, DEFAULT_ITERATIONS, formatVerifier } from '../wire/scram/verifier.ts';
import { makePassword, OWNER } from './password.ts';

export interface User {
  readonly name: string;
  readonly may: string;
}

/** A reader selects from the tables; a member has a schema of its own as well, where it makes what it likes. */
export type UserKind = 'reader' | 'member';

/** Makes a role that may log in and returns its password. `client` is logged in as the owner. */
export async function addUser(client: SqlClient, name: string, kind: UserKind): Promise<string> {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name) || /^(pg|trailhound)_/.test(name)) {
    throw new TrailhoundError('configuration', `"${name}" cannot be a role's name`, {
      hint: 'Use lower-case letters, digits and underscores; pg_ and trailhound_ at the start are taken.',
    });
  }
  const password = makePassword();
  const role = quoteIdent(name);
  await execute(
    client,
    `begin;
     create role ${role} login password '${await verifierOf(password)}' in role trailhound_reader;
     ${kind === 'member' ? `select trailhound.make_schema_of('${name}');` : ''}
     commit`,
  );
  return password;
}

/** As the engine keeps it: a password in a statement might end in a log. */
export async function verifierOf(password: string): Promise<string> {
  return formatVerifier(await createVerifier(password, randomBytes(16), DEFAULT_ITERATIONS));
}

export async function listUsers(client: SqlClient): Promise<readonly User[]> {
  const rows = await client.rows(
    `
    select r.rolname, case
        when r.rolname = $1 then 'own this Trailhound'
        when n.oid is not null then 'read, and make things in its own schema'
        when pg_catalog.pg_has_role(r.oid, 'trailhound_reader', 'usage') then 'read'
        else 'log in'
      end
    from pg_catalog.pg_roles r left join pg_catalog.pg_namespace n on n.nspname = r.rolname and n.nspowner = r.oid
    where r.rolcanlogin and not r.rolsuper and not starts_with(r.rolname, 'trailhound_')
    order by r.rolname <> $1, r.rolname`,
    [OWNER],
  );
  return rows.map(([name, may]) => ({ name: name ?? '', may: may ?? '' }));
}

/** PostgreSQL refuses while the role owns tables or views: nobody's work is lost by the way. */
export async function removeUser(client: SqlClient, name: string): Promise<void> {
  if (name === OWNER) throw new TrailhoundError('configuration', `${OWNER} owns this Trailhound and stays`);
  const role = quoteIdent(name);
  await execute(
    client,
    `begin; set local client_min_messages to warning; drop schema if exists ${role};
     select trailhound.forget_rows_of('${name.replaceAll("'", "''")}'); drop role ${role}; commit`,
  );
}

async function execute(client: SqlClient, text: string): Promise<void> {
  try {
    for await (const _ of client.run(text)) continue;
  } catch (error) {
    await client.rows('rollback');
    throw error;
  }
}
