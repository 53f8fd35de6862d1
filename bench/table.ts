import type { Figure } from './figure.ts';

const HEADER = ['', 'measured', 'baseline', 'result', 'bound', ''] as const;

export function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, measured, baseline, result, bound }) => [
    name,
    measured,
    baseline,
    result,
    bound?.text ?? '',
    bound === undefined ? '' : bound.held ? 'ok' : 'MISSED',
  ]);
  const all = [[...HEADER], ...rows];
  const widths = HEADER.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  return lines.join('\n');
}
