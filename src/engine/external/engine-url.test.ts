import { describe, expect, it } from 'vitest';
import { TrailhoundError } from '../../kernel/errors.ts';
import { parseEngineUrl } from './engine-url.ts';

describe('parseEngineUrl', () => {
  it('reads what libpq reads from a URI', () => {
    expect(parseEngineUrl('postgresql://me:s%40crt@db.example:6432/admin?sslmode=require')).toMatchObject({
      host: 'db.example',
      port: 6432,
      user: 'me',
      password: 's@crt',
      maintenanceDatabase: 'admin',
      sslMode: 'require',
    });
  });

  it('fills in what is left out', () => {
    expect(parseEngineUrl('postgres://me@db.example')).toMatchObject({
      port: 5432,
      password: undefined,
      maintenanceDatabase: 'postgres',
      sslMode: 'prefer',
    });
    expect(parseEngineUrl('postgres://me@db.example:80/')).toMatchObject({ port: 80 });
  });

  it('reads a Unix socket, as a parameter and as a host', () => {
    const socket = { host: '/run/postgresql', port: 5433, user: 'me' };
    expect(parseEngineUrl('postgres:///admin?host=/run/postgresql&port=5433&user=me')).toMatchObject(socket);
    expect(parseEngineUrl('postgres://me@/admin?host=/run/postgresql&port=5433')).toMatchObject(socket);
    expect(parseEngineUrl('postgres://me@%2Frun%2Fpostgresql:5433/admin')).toMatchObject(socket);
  });

  it('reads an IPv6 address', () => {
    expect(parseEngineUrl('postgres://me@[::1]:5433/admin')).toMatchObject({ host: '::1', port: 5433 });
  });

  it.each([
    ['mysql://me@db', 'does not begin with postgres://'],
    ['postgres://db.example/postgres', 'names no user'],
    ['postgres://me@db?sslmode=maybe', 'unknown sslmode maybe'],
    ['postgres://me@db?colour=red', 'unknown parameter colour'],
    ['postgres://me@db?port=0', 'no valid port'],
    ['postgres://me@db:99999/', 'cannot be read'],
    ['postgres://me@db?sslrootcert=/does/not/exist', 'cannot read /does/not/exist'],
  ])('refuses %s, saying why', (text, message) => {
    const error = failure(text);
    expect(error.code).toBe('configuration');
    expect(error.message).toContain(message);
    expect(error.hint).toMatch(/\.$/);
  });

  it('never shows the password', () => {
    const url = parseEngineUrl('postgres://me:hush-hush@db.example/admin');
    expect(url.printable).toBe('postgres://me@db.example:5432/admin');
    for (const text of ['postgres://me:hush-hush@db:99999/', 'postgres://me:hush-hush@db?colour=red']) {
      expect(JSON.stringify([failure(text).message, failure(text).hint, String(failure(text).cause)])).not.toContain(
        'hush',
      );
    }
  });
});

function failure(text: string): TrailhoundError {
  try {
    parseEngineUrl(text);
  } catch (error) {
    if (error instanceof TrailhoundError) return error;
    throw error;
  }
  throw new Error(`${text} was read`);
}
