/** One line of the table. */
export interface Figure {
  readonly name: string;
  readonly measured: string;
  /** What it is held against, measured in the same run: machines differ, ratios less so. */
  readonly baseline: string;
  /** Measured over baseline, or the figure that the bound is about. */
  readonly result: string;
  readonly bound?: { readonly text: string; readonly held: boolean };
}

export interface Scenario {
  readonly name: string;
  run(): Promise<readonly Figure[]>;
}

export function atMost(value: number, bound: number, unit = ''): NonNullable<Figure['bound']> {
  return { text: `<= ${bound}${unit}`, held: value <= bound };
}

export function atLeast(value: number, bound: number): NonNullable<Figure['bound']> {
  return { text: `>= ${bound}`, held: value >= bound };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
}

/** Of medians: `1.61 s (1.55 .. 1.80)`. */
export function spread(values: readonly number[], show: (value: number) => string): string {
  const range = values.length > 1 ? ` (${show(Math.min(...values))} .. ${show(Math.max(...values))})` : '';
  return `${show(median(values))}${range}`;
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
export const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
