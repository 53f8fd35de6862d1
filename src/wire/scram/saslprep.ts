import saslprep from 'saslprep';

/** As PostgreSQL's pg_saslprep: a password that SASLprep refuses is taken as it is. */
export function prepare(password: string): string {
  try {
    return saslprep(password);
  } catch {
    return password;
  }
}
