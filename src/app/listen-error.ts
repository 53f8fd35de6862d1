import { TrailhoundError } from '../kernel/errors.ts';

/** What the system says of an address that cannot be listened on, with the option that changes it. */
export function listenError(cause: unknown, host: string, port: number, option: string): Error {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE') {
    const hint = `Choose another one with ${option} (0: any that is free), or stop what listens there.`;
    return new TrailhoundError('configuration', `port ${port} on ${host} is in use`, { hint, cause });
  }
  if (code === 'EACCES') {
    const hint = `Choose one above 1023 with ${option}.`;
    return new TrailhoundError('configuration', `port ${port} on ${host} may not be used`, { hint, cause });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    const hint = 'Choose another one with --host; 127.0.0.1 is always there.';
    return new TrailhoundError('configuration', `${host} is no address of this machine`, { hint, cause });
  }
  return cause instanceof Error ? cause : new Error(String(cause));
}
