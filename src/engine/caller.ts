/** postgres_fdw writes the pid of the backend that scans in the place of %p ("postgres_fdw.application_name" in its manual page). */
export const APPLICATION_NAME = 'trailhound %p';

/** The backend that a connection of postgres_fdw says it scans for; undefined for any other connection. */
export function callerIn(applicationName: string | undefined): number | undefined {
  const [name, pid, ...more] = applicationName?.split(' ') ?? [];
  const number = Number(pid);
  return name === 'trailhound' && more.length === 0 && Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
