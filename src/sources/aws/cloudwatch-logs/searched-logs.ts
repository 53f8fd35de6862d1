import type { TimeRange } from '../../time-range.ts';
import type { CompiledScan } from './scan-plan.ts';
import type { Target } from './targets.ts';

const MOST_NAMES = 3;
const LONGEST_PATTERN = 200;

/** `CloudTrail/All in us-east-1, 2026-11-14 20:00 .. 2026-11-21 20:00 UTC, only { $.eventName = "CreateUser" }` */
export function searchedLogs(targets: readonly Target[], scan: CompiledScan, now = Date.now()): string {
  const names = targets.map(({ logGroupName, region }) => `${logGroupName} in ${region}`);
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more log groups` : '';
  const ranges = targets.flatMap(({ connection }) => scan.timeRange(connection) ?? []);
  const range = {
    start: Math.min(...ranges.map(({ start }) => start)),
    end: Math.max(...ranges.map(({ end }) => end)),
  };
  const only = scan.filters.flatMap((filter) => scan.patterns.map((pattern) => pattern.pattern(filter)));
  const [pattern] = only;
  const patterns = only.length === 1 && pattern !== undefined ? `, only ${shortened(pattern)}` : '';
  return `${names.slice(0, MOST_NAMES).join(', ')}${more}, ${times(range, now)}${patterns}`;
}

function times({ start, end }: TimeRange, now: number): string {
  const to = minute(Math.min(end, now));
  return start > 0 ? `${minute(start)} .. ${to} UTC` : `until ${to} UTC`;
}

function minute(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace('T', ' ');
}

function shortened(pattern: string): string {
  return pattern.length > LONGEST_PATTERN ? `${pattern.slice(0, LONGEST_PATTERN)}…` : pattern;
}
