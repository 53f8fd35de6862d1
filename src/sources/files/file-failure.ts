import { SourceError } from '../source.ts';
import type { FilesConnection } from './connection.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EIO: 'input/output error',
  ELOOP: 'too many symbolic links',
  NO_FILE: 'it is a pipe, a socket or a device',
  SHORTENED: 'it became shorter while it was read',
};

/** What the file system refuses. */
export function failedFile({ name }: FilesConnection, path: string, error: unknown): SourceError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return new SourceError('unreachable', name, `cannot read ${path}: ${REASONS[code] ?? code}`, {
    hint:
      code === 'SHORTENED'
        ? 'Run the statement again when nobody writes to it.'
        : `Let the server's user read it, or leave it out of connections.${name}.paths; set trailhound.partial = on reads the rest, and counts what is missing.`,
    cause: error,
  });
}

/** What the file holds is no evidence that can be read; `where`: `line 3`. */
export function unreadableFile(
  { name }: FilesConnection,
  path: string,
  where: string,
  reason: string,
  cause?: unknown,
): SourceError {
  return new SourceError('nonsense', name, `${path}, ${where}: ${reason}`, {
    hint: `Mend or move the file, leave it out of connections.${name}.paths or by a condition on path; set trailhound.partial = on reads the rest, and counts what is missing.`,
    cause,
  });
}
