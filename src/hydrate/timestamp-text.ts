/** A zone is optional, `T` may be a space; what has no zone means UTC. */
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)? ?(Z|[+-]\d\d(?::?[0-5]\d)?)?)?$/i;

/** Always with its zone written out, so that no session's TimeZone matters. Undefined: not a time. */
export function timestampText(value: unknown): string | undefined {
  if (typeof value === 'string') return fromText(value);
  if (typeof value === 'number') return fromEpoch(value);
  if (value instanceof Date) return fromEpoch(value.getTime());
  return undefined;
}

function fromText(text: string): string | undefined {
  const parts = ISO.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', zone] = parts;
  if (Number(year) === 0 || !isDay(Number(year), Number(month), Number(day))) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  // PostgreSQL reads zones up to 15:59:59 from Greenwich.
  if (zone !== undefined && zone.length > 1 && Number(zone.slice(1, 3)) > 15) return undefined;
  if (parts[4] === undefined) return `${text}T00:00:00Z`;
  return zone === undefined ? `${text}Z` : text;
}

function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  if (day <= 28) return true;
  if (month === 2) return day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31);
}

/** Milliseconds since the epoch, fractions kept to the microsecond that PostgreSQL keeps. */
function fromEpoch(milliseconds: number): string | undefined {
  const whole = Math.floor(milliseconds);
  const micros = Math.round((milliseconds - whole) * 1000);
  const date = new Date(micros === 1000 ? whole + 1 : whole);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) return undefined;
  const iso = date.toISOString();
  return micros === 0 || micros === 1000 ? iso : `${iso.slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}
