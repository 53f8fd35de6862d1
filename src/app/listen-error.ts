import { TrailhoundError } from '../kernel/errors.ts';

/** What the system says of an address that cannot be listened on, with the option that changes it. */
export function listenError(error: unknown, host: string, port: number, option: string): unknown {
  const fields = { cause: error };
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new TrailhoundError('configuration', `port ${port} on ${host} is in use`, {
        ...fields,
        hint: `Choose another one with ${option} (0: any that is free), or stop what listens there.`,
      });
    case 'EACCES':
      return new TrailhoundError('configuration', `port ${port} on ${host} may not be used`, {
        ...fields,
        hint: `Choose one above 1023 with ${option}.`,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new TrailhoundError('configuration', `${host} is no address of this machine`, {
        ...fields,
        hint: 'Choose another one with --host; 127.0.0.1 is always there.',
      });
  }
  return error;
}
