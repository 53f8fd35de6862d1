import { expect, test } from 'vitest';
import type { CompiledScan } from './scan-plan.ts';
import { searchedLogs } from './searched-logs.ts';
import type { Target } from './targets.ts';

const NOW = Date.UTC(2026, 10, 21, 20);

function said(names: readonly string[], start: number, end: number, patterns: readonly (string | undefined)[]): string {
  const targets = names.map((logGroupName) => ({ logGroupName, region: 'us-east-1' }) as Target);
  const scan = {
    timeRange: () => ({ start, end }),
    filters: [undefined],
    patterns: patterns.map((pattern) => ({ pattern: () => pattern })),
  } as unknown as CompiledScan;
  return searchedLogs(targets, scan, NOW);
}

test('names the log groups, the time that has been, and what events were asked for', () => {
  expect(said(['a', 'b'], NOW - 3_600_000, NOW + 86_400_000, ['{ $.x = 1 }'])).toBe(
    'a in us-east-1, b in us-east-1, 2026-11-21 19:00 .. 2026-11-21 20:00 UTC, only { $.x = 1 }',
  );
});

test('names a few of many', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  expect(said(names, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, [undefined])).toBe(
    'a in us-east-1, b in us-east-1, c in us-east-1 and 2 more log groups, until 2026-11-21 20:00 UTC',
  );
  expect(said(['a'], Number.NEGATIVE_INFINITY, 0, ['{ $.x = 1 }', '{ $.x = 2 }'])).toBe(
    'a in us-east-1, until 1970-01-01 00:00 UTC',
  );
});
