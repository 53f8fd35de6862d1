/** Milliseconds since the epoch of an ISO 8601 text; what names no zone means UTC. Undefined where it is none. */
export function instantOf(text: string): number | undefined {
  const instant = Date.parse(ZONE.test(text) ? text : `${text.replace(' ', 'T')}Z`);
  return Number.isNaN(instant) ? undefined : instant;
}

const ZONE = /(?:Z|[+-]\d\d:?\d\d)$/i;
