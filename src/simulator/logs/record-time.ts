/** `2026-11-21T20:00:00Z`, with or without a fraction, and `2026-11-21 20:00:00.000`, which is UTC as well. */
const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)Z?$/;

/** When a CloudTrail record, bare or in an EventBridge envelope, says it happened; milliseconds since the epoch. */
export function recordTime(message: string): number | undefined {
  let record: unknown;
  try {
    record = JSON.parse(message);
  } catch {
    return undefined;
  }
  return timeOf(member(record, 'detail'), 'eventTime') ?? timeOf(record, 'eventTime') ?? timeOf(record, 'time');
}

function timeOf(value: unknown, name: string): number | undefined {
  const text = member(value, name);
  const [, date, time] = typeof text === 'string' ? (TIME.exec(text) ?? []) : [];
  const parsed = Date.parse(`${date}T${time}Z`);
  return Number.isNaN(parsed) ? undefined : parsed;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
